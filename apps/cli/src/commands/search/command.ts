/** `embedmill search`: the rows of a file of vectors that are nearest to a question. */

import { createInterface } from 'node:readline';
import type { RowFormat } from '@embedmill/core/formats';
import { type Config, readConfig } from '@embedmill/core/process';
import type { Command } from 'commander';
import { type EmbedderFlags, openEmbedder } from '../../engine/embedder/open.ts';
import { findTexts, noTextsFound, type TextLookup, type VectorRow } from '../../io/texts/read-texts.ts';
import { openVectors } from '../../io/vectors/open.ts';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode, UsageError } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import { embedderOptions, examples, textsOptions, wholeNumber } from '../../shell/options.ts';
import { countingOn, displayFor, type ProgressDisplay } from '../../shell/progress/index.ts';
import { treatmentOptions } from '../../shell/treatment-options.ts';
import { describeHits } from './describe.ts';
import { type Found, loadSearch, type SearchDeps, searchFile } from './search.ts';

const EXPLANATION = `
VECTORS is a .npy (with its .ids.jsonl), .jsonl, .parquet or .arrow, as
"embedmill embed" writes it, or a folder .lance. Every row is compared with the
question (exact search); the score is the cosine, 1 for the same text. Use the
model, the precision and the treatment (--clean, --glossary) that the file was
made with; the prompt is the one for questions, where the model was trained
with two.

Without a question, questions are read from stdin, one a line, and the file is
loaded once.
`;

interface SearchFlags extends EmbedderFlags {
  count: number;
  texts?: string;
  text?: string;
  id?: string;
  format?: RowFormat;
  quiet?: true;
  json?: true;
}

/** Adds the command; `end` receives its exit code. */
export function addSearchCommand(
  program: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  const command = program
    .command('search')
    .summary('find the rows nearest to a question')
    .description('Finds the rows of a file of vectors that are nearest to a question.')
    .argument('<vectors>', 'vectors: .npy, .jsonl, .parquet, .arrow or .lance')
    .argument('[question]', 'what to look for (default: questions from stdin, one a line)')
    .option('-k, --count <rows>', 'rows to find', wholeNumber(1), 10)
    .option('--texts <file>', 'the file that was embedded, to print texts')
    .option('--json', 'print one JSON object per question')
    .option('--quiet', 'print no progress');
  for (const option of [...textsOptions(), ...embedderOptions(), ...treatmentOptions()])
    command.addOption(option);
  command
    .addHelpText(
      'after',
      EXPLANATION +
        examples(
          [
            'embedmill search reviews.npy "broken after a week" --texts reviews.jsonl.gz',
            'scores, ids and texts',
          ],
          ['embedmill search reviews.parquet "too loud" -k 50 --json | jq .hits[].id', 'for programs'],
          ['embedmill search reviews.npy --texts reviews.csv --text body', 'question after question'],
        ),
    )
    .action(async (vectors: string, question: string | undefined, flags: SearchFlags) => {
      await searchCommand({ vectors, question, flags, context, config: readConfig(context.environment) });
      end(EXIT.ok);
    });
}

interface SearchCall {
  vectors: string;
  question: string | undefined;
  flags: SearchFlags;
  context: CommandContext;
  config: Config;
}

async function searchCommand({ vectors, question, flags, context, config }: SearchCall): Promise<void> {
  if (question?.trim() === '') throw new UsageError('the question is empty; expected a text to look for');
  const { stdin, stdout } = context;
  const signal = interruptionSignal(() => {});
  const display = displayFor(context, flags.quiet ?? false);
  const file = await openVectors(vectors);
  const texts = async (rows: readonly VectorRow[] | null): Promise<TextLookup> =>
    flags.texts === undefined
      ? () => null
      : await findTexts({ ...flags, path: flags.texts }, { config, stdin, signal }, rows);
  const embedder = await openEmbedder(flags, { config, signal });
  const parts: SearchDeps = {
    vectors: file,
    embedder,
    count: flags.count,
    findTexts: texts,
    onRows: countingOn(display, file.rows),
    signal,
  };
  const print = (asked: string, hits: readonly Found[]) => {
    display.end();
    if (flags.texts !== undefined && hits.every(({ text }) => text === null)) {
      display.note(
        noTextsFound(
          flags.texts,
          hits.map(({ id }) => id),
        ),
      );
    }
    stdout.write(
      flags.json
        ? `${JSON.stringify({ question: asked, hits })}\n`
        : `${describeHits(hits, stdout.columns ?? Number.POSITIVE_INFINITY).join('\n')}\n`,
    );
  };
  try {
    if (question !== undefined) {
      print(question, await searchFile(parts, question));
      return;
    }
    const known = await texts(null);
    const ask = await loadSearch({ ...parts, findTexts: async () => known });
    await answerLines(context, { display, signal }, async (line) => print(line, await ask(line)));
  } finally {
    display.end();
    await embedder.close();
  }
}

/** Calls `answer` with each line of stdin that is not blank, until the signal; a terminal is shown a prompt. */
async function answerLines(
  { stdin, stderr }: CommandContext,
  { display, signal }: { display: ProgressDisplay; signal: AbortSignal },
  answer: (line: string) => Promise<void>,
): Promise<void> {
  display.end();
  const prompt = () => (stderr.isTTY === true ? stderr.write('? ') : true);
  prompt();
  const lines = createInterface({ input: stdin, crlfDelay: Number.POSITIVE_INFINITY, signal });
  for await (const line of lines) {
    if (line.trim() !== '') await answer(line);
    prompt();
  }
  signal.throwIfAborted();
}
