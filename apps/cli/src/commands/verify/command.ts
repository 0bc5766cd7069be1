/** `embedmill verify`: computes rows of a vector file again and compares the bytes. */

import { readConfig } from '@embedmill/core/process';
import type { Command } from 'commander';
import { type EmbedderFlags, openEmbedder } from '../../engine/embedder/open.ts';
import type { TextsFlags } from '../../io/texts/choices.ts';
import { findTexts } from '../../io/texts/read-texts.ts';
import { openVectors } from '../../io/vectors/open.ts';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode, UsageError } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import {
  embedderOptions,
  engineOption,
  examples,
  textsOptions,
  VECTORS_ARGUMENT,
  wholeNumber,
} from '../../shell/options.ts';
import { countRows, displayFor } from '../../shell/progress/index.ts';
import { treatmentOptions } from '../../shell/treatment-options.ts';
import { pickRows, type Verification, verifyRows } from './verify.ts';

const EXPLANATION = `
Rows at even distances are computed again, by the reference kernel of the exact
engine unless $EMBEDMILL_KERNEL names another, and compared byte for byte. The
file must hold float32. Use the model, precision and treatment of the file.

Exit codes: 0 if all bytes are equal, else 1.
`;

interface VerifyFlags extends EmbedderFlags, TextsFlags {
  texts: string;
  rows: number;
  engine?: string;
  quiet?: true;
  json?: true;
}

/** Adds the command; `end` receives its exit code. */
export function addVerifyCommand(
  program: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  const command = program
    .command('verify')
    .summary('compute vectors again and compare')
    .description('Compute rows of a vector file again and compare the bytes.')
    .argument(...VECTORS_ARGUMENT)
    .requiredOption('--texts <file>', 'the embedded text file')
    .option('--rows <rows>', 'maximum rows to compute', wholeNumber(1), 100)
    .option('--json', 'print a JSON object')
    .option('--quiet', 'print no progress')
    .addOption(engineOption(context.environment));
  for (const option of [...textsOptions(), ...embedderOptions(context.environment), ...treatmentOptions()])
    command.addOption(option);
  command
    .addHelpText(
      'after',
      EXPLANATION +
        examples(
          ['embedmill verify reviews.npy --texts reviews.jsonl', 'vectors from any machine, on this one'],
          ['embedmill verify reviews.npy --texts reviews.jsonl --engine onnx', 'of a run on ONNX Runtime'],
        ),
    )
    .action(async (vectors: string, flags: VerifyFlags) => {
      const found = await verify(vectors, flags, context);
      context.stdout.write(flags.json ? `${JSON.stringify(found)}\n` : `${describe(found).join('\n')}\n`);
      end(found.identical === found.compared ? EXIT.ok : EXIT.failure);
    });
}

async function verify(path: string, flags: VerifyFlags, context: CommandContext): Promise<Verification> {
  const { environment, stdin } = context;
  const config = readConfig({
    ...environment,
    EMBEDMILL_KERNEL: environment.EMBEDMILL_KERNEL || 'scalar',
    ...(flags.engine === undefined ? {} : { EMBEDMILL_ENGINE: flags.engine }),
  });
  const signal = interruptionSignal(() => {});
  const display = displayFor(context, flags.quiet ?? false);
  const rows = await pickRows(await openVectors(path), flags.rows, signal);
  const embedder = await openEmbedder(flags, { config, inputType: 'document', signal });
  try {
    const found = await verifyRows(rows, {
      embedder,
      findTexts: (wanted) =>
        findTexts({ ...flags, path: flags.texts }, { config, stdin, environment, signal }, wanted),
      onRows: countRows(display, rows.length),
    });
    if (found.compared === 0) {
      throw new UsageError(
        `no text of ${JSON.stringify(flags.texts)} has the id of a row, such as ${JSON.stringify(rows[0]?.id)}`,
      );
    }
    return found;
  } finally {
    display.end();
    await embedder.close();
  }
}

function describe({ compared, identical, minimumCosine, different, withoutText }: Verification): string[] {
  const missing = withoutText === 0 ? [] : [`${withoutText} rows have no text in the file`];
  if (identical === compared) return [`✓ ${compared} rows computed again, with the same bytes`, ...missing];
  return [
    `✗ ${compared - identical} of ${compared} rows have other bytes, minimum cosine ${minimumCosine.toFixed(5)}`,
    ...different.map(({ row, id, cosine }) => `  row ${row + 1}, id ${id}: cosine ${cosine.toFixed(5)}`),
    ...missing,
  ];
}
