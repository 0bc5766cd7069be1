/** `embedmill embed`: a file of texts in, a file of vectors out. */

import { relative } from 'node:path';
import { readConfig } from '@embedmill/core/process';
import { type Command, Option } from 'commander';
import { rowsWithoutVector } from '../../engine/run/fetch.ts';
import { isObjectUrl } from '../../io/objects/url.ts';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode, exitCodeOf, Interrupted } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import { examples, threadsOption, wholeNumber } from '../../shell/options.ts';
import { displayFor } from '../../shell/progress/index.ts';
import { paintFor } from '../../shell/terminal/style.ts';
import { cleanOption, longOption, promptOption } from '../../shell/treatment-options.ts';
import { embedFile } from './embed.ts';
import { type EmbedFlags, type EmbedRequest, readRequest } from './request.ts';
import { describeSummary } from './summary.ts';

const EXPLANATION = `
INPUT is .jsonl, .csv, .tsv or .txt (one text a line), each also as .gz, or -
for stdin. OUTPUT is .npy (with the ids beside it), .jsonl, .parquet or .arrow,
also in a bucket (s3://…), or a table of LanceDB (.lance). It has one row per
input row, in order, and appears when it is complete.

Rows without a vector (an empty text, a line that is no JSON) are listed in
OUTPUT.report.jsonl; in OUTPUT they are null, zeros in .npy, left out in .lance.

Interrupted? The same command again continues.

Exit codes: 0 every row has a vector, 3 some have none, 2 usage,
130 interrupted, 1 anything else.
`;

/** Adds the command; `end` receives its exit code. */
export function addEmbedCommand(
  program: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  program
    .command('embed')
    .summary('turn a file of texts into a file of vectors')
    .description('Turns a file of texts into a file of vectors.')
    .argument('<input>', 'file of texts, or - for stdin')
    .requiredOption('--to <output>', 'file of vectors: .npy, .jsonl, .parquet, .arrow or .lance; or s3://…')
    .option('--text <field>', 'field or column with the text (default: "text")')
    .option('--id <field>', 'field or column with the id (default: "id", else the row number)')
    .addOption(
      new Option('--format <format>', 'of the input, when its name does not tell').choices([
        'jsonl',
        'csv',
        'tsv',
        'txt',
      ]),
    )
    .addOption(
      new Option('--dtype <dtype>', 'what OUTPUT keeps of a float; int8 comes with a scale per row')
        .choices(['float32', 'float16', 'int8'])
        .default('float32'),
    )
    .addOption(
      new Option('--encoding <encoding>', 'of vectors in .jsonl')
        .choices(['float', 'base64'])
        .default('float'),
    )
    .addOption(
      new Option('--precision <precision>', 'arithmetic of the model')
        .choices(['int8', 'fp32'])
        .default('int8'),
    )
    .addOption(
      new Option(
        '--truncate <side>',
        'what to drop of a text beyond the limit of the model, or to fail the row',
      )
        .choices(['end', 'start', 'error'])
        .default('end'),
    )
    .addOption(cleanOption())
    .addOption(longOption())
    .addOption(promptOption())
    .option('--glossary <file>', 'plain wording for terms: .json, or .csv with term, wording and case')
    .option('--limit <rows>', 'read no more than this many rows', wholeNumber(1))
    .option('--server <url>', 'use a running producer (default: start one for this call)')
    .addOption(threadsOption())
    .option('--batch-rows <rows>', 'most rows of a batch (default: 252)', wholeNumber(1))
    .option('--model <model>', "folder of another model in the hub's layout; with --server its name")
    .option('--overwrite', 'replace OUTPUT, and forget what an earlier call began for it')
    .option('--quiet', 'print nothing but errors')
    .option('--json', 'print a summary as one JSON object on stdout')
    .addHelpText(
      'after',
      EXPLANATION +
        examples(
          ['embedmill embed reviews.jsonl.gz --to reviews.npy', 'a NumPy matrix and reviews.ids.jsonl'],
          [
            'embedmill embed shop.csv --text body --id sku --to shop.parquet',
            'other columns; for DuckDB, pandas',
          ],
          ['zcat *.txt.gz | embedmill embed - --format txt --to all.jsonl', 'from a pipe'],
          ['embedmill embed big.jsonl --to big.npy --server http://mill:8080', 'on the workers of a fleet'],
          ['embedmill embed in.csv --to s3://shop/in.parquet --dtype float16', 'into a bucket, in halves'],
        ),
    )
    .action(async (input: string, flags: EmbedFlags) => {
      const request = readRequest(input, flags, readConfig(context.environment));
      end(await embedCommand(request, context));
    });
}

async function embedCommand(request: EmbedRequest, context: CommandContext): Promise<ExitCode> {
  const { stdout, stderr, environment } = context;
  const paint = paintFor(stderr, environment);
  const display = displayFor(context, request.quiet);
  const signal = interruptionSignal(() =>
    display.note('Stopping; what is done is kept. Ctrl-C again ends at once.'),
  );
  try {
    const { summary, files } = await embedFile(request, { context, display, signal });
    if (!request.quiet) {
      const shorten = (name: string) => (isObjectUrl(name) ? name : relative(process.cwd(), name));
      const lines = describeSummary(summary, files.vectors.bytes, paint, shorten);
      stderr.write(`${lines.join('\n')}\n`);
    }
    if (request.json) stdout.write(`${JSON.stringify(summary)}\n`);
    return rowsWithoutVector(summary) === 0 ? EXIT.ok : EXIT.rowsWithoutVector;
  } catch (error) {
    display.end();
    if (!(error instanceof Interrupted)) throw error;
    const where = request.server === null ? '' : ` The run stays on ${request.server} and goes on there.`;
    if (!request.quiet) stderr.write(`Stopped.${where} The same command again continues.\n`);
    return exitCodeOf(error);
  }
}
