/** `embedmill search`: finds the rows of a vector file by meaning and words. */

import { createInterface } from 'node:readline';
import { NARROW_BAND_MEAN, type SearchMode } from '@embedmill/contract';
import { type Config, readConfig } from '@embedmill/core/process';
import { type Command, Option } from 'commander';
import { type EmbedderFlags, openEmbedder, openReranker } from '../../engine/embedder/open.ts';
import type { TextsFlags } from '../../io/texts/choices.ts';
import { noTextsFound, type TextLookup, type VectorRow } from '../../io/texts/read-texts.ts';
import {
  checkTextsOfVectors,
  findTextsOfVectors,
  hasTextsOfVectors,
  readTextsOfVectors,
} from '../../io/texts/stored-texts.ts';
import { openVectors } from '../../io/vectors/open.ts';
import type { VectorFile } from '../../io/vectors/types.ts';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode, UsageError } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import {
  embedderOptions,
  examples,
  textsOptions,
  VECTORS_ARGUMENT,
  wholeNumber,
} from '../../shell/options.ts';
import { countRows, displayFor, type ProgressDisplay } from '../../shell/progress/index.ts';
import { paintFor } from '../../shell/terminal/style.ts';
import { treatmentOptions } from '../../shell/treatment-options.ts';
import { describeHits } from './describe.ts';
import { loadSearch, type SearchDeps, type SearchHit, searchFile, UnknownQuestionError } from './search.ts';

const EXPLANATION = `
VECTORS is a .npy (with its .ids.jsonl), .jsonl, .parquet or .arrow file, as
written by "embedmill embed", or a .lance folder. Every row is compared with the
question (exact search). The score is the cosine similarity: 1 for equal texts.
Models whose unrelated texts score high show it relative to these in brackets.

If there are texts (a column of the file, or --texts), the search is hybrid:
rows are ranked by meaning and by their words (BM25), and both rankings are
fused (reciprocal rank fusion). MEANING and WORDS are the ranks.
Use the model, precision and treatment (--clean, --glossary) of the file. If the
model has prompts, the question gets the one for queries.

With --rerank, the nearest rows (--candidates) are embedded again by a better
model, whose scores decide; "first" is the score of the file. The texts come
from a column of the file (--text) or from --texts. The better model uses its
own prompts, and int8 unless its name ends in @fp32.

Without a question, the file is loaded once and questions are read from stdin,
one per line.
`;

/** Minimum rows that another model orders. */
const MIN_CANDIDATES = 100;

/** Candidates per hit. */
const CANDIDATES_PER_HIT = 10;

interface SearchFlags extends EmbedderFlags, TextsFlags {
  count: number;
  texts?: string;
  mode?: SearchMode;
  rerank?: string;
  candidates?: number;
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
    .description('Find the rows of a vector file nearest to a question.')
    .argument(...VECTORS_ARGUMENT)
    .argument('[question]', 'text to search for (default: lines of stdin)')
    .option('-k, --count <rows>', 'maximum rows to print', wholeNumber(1), 10)
    .option('--texts <file>', 'the embedded text file, to print texts and to search their words')
    .addOption(
      new Option(
        '--mode <mode>',
        'compare meaning, words or both (default: hybrid with texts, else vector)',
      ).choices(['hybrid', 'vector', 'words']),
    )
    .option('--rerank <model>', 'better model that orders the nearest rows')
    .option(
      '--candidates <rows>',
      `rows that --rerank orders (default: 10 times --count, at least ${MIN_CANDIDATES})`,
      wholeNumber(1),
    )
    .option('--json', 'print one JSON object per question')
    .option('--quiet', 'print no progress');
  for (const option of [...textsOptions(), ...embedderOptions(context.environment), ...treatmentOptions()])
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
          ['embedmill search reviews.parquet "error 503" --mode words', 'exact words only'],
          ['embedmill search reviews.npy --texts reviews.csv --text body', 'questions from stdin'],
          [
            'embedmill search fast.parquet "too loud" --model static --rerank multilingual',
            'a fast first pass, a better model on 100 rows',
          ],
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
  if (question?.trim() === '') throw new UsageError('the question is empty; expected a text to search for');
  const candidates = readCandidates(flags);
  const { stdin, stdout, environment } = context;
  const signal = interruptionSignal(() => {});
  const display = displayFor(context, flags.quiet ?? false);
  const file = await openVectors(vectors);
  const mode = await modeFor(file, flags);
  const textsDeps = { config, stdin, environment, signal };
  const texts = async (rows: readonly VectorRow[] | null): Promise<TextLookup> =>
    flags.texts === undefined && flags.rerank === undefined && mode === 'vector'
      ? () => null
      : await findTextsOfVectors(file, flags, textsDeps, rows);
  const embedder = await openEmbedder(flags, { config, inputType: 'query', signal });
  const deciding =
    flags.rerank === undefined
      ? embedder
      : await openReranker(flags.rerank, flags, { config, inputType: 'query', signal });
  const { baseline } = deciding;
  if (deciding !== embedder) {
    display.note(`Scores of ${deciding.name} decide; "first" is that of ${embedder.name}.`);
  }
  const withRelative = baseline !== undefined && baseline.mean >= NARROW_BAND_MEAN;
  if (withRelative) {
    display.note(
      `In brackets: 0 for unrelated texts of ${deciding.name} (cosine ${baseline.mean.toFixed(2)} ± ${baseline.spread.toFixed(2)}), 1 for equal ones.`,
    );
  }
  const decision =
    deciding === embedder ? {} : { decidedBy: deciding.name, firstPass: embedder.name, candidates };
  const deps: SearchDeps = {
    vectors: file,
    embedder,
    mode,
    count: flags.count,
    findTexts: texts,
    readTexts: () => readTextsOfVectors(file, flags, textsDeps),
    reranker: deciding === embedder ? null : { embedder: deciding, candidates },
    onRows: countRows(display, file.rows),
    signal,
  };
  const print = (asked: string, hits: readonly SearchHit[]) => {
    display.end();
    if (flags.texts !== undefined && hits.every(({ text }) => text === null)) {
      display.note(
        noTextsFound(
          flags.texts,
          hits.map(({ id }) => id),
        ),
      );
    }
    if (hits.length === 0 && !flags.json) {
      display.note('No row has a word of the question.');
      return;
    }
    stdout.write(
      flags.json
        ? `${JSON.stringify({ question: asked, mode, ...decision, hits })}\n`
        : `${describeHits(hits, stdout.columns ?? Number.POSITIVE_INFINITY, {
            withRelative,
            withRanks: mode === 'hybrid',
            paint: paintFor(stdout, environment),
          }).join('\n')}\n`,
    );
  };
  try {
    if (question !== undefined) {
      print(question, await searchFile(deps, question));
      return;
    }
    const known = await texts(null);
    const ask = await loadSearch({ ...deps, findTexts: async () => known });
    await answerLines(context, { display, signal }, async (line) => {
      try {
        print(line, await ask(line));
      } catch (error) {
        // The next question may be a better one.
        if (!(error instanceof UnknownQuestionError)) throw error;
        display.warn(error.message);
      }
    });
  } finally {
    display.end();
    await embedder.close();
    await deciding.close();
  }
}

/**
 * What is compared: as chosen, or else words too if there are texts.
 * @throws {UsageError} if texts are needed and there are none
 */
async function modeFor(file: VectorFile, flags: SearchFlags): Promise<SearchMode> {
  const { mode = (await hasTextsOfVectors(file, flags)) ? 'hybrid' : 'vector' } = flags;
  if (mode !== 'vector' || flags.rerank !== undefined) await checkTextsOfVectors(file, flags);
  return mode;
}

/** The number of candidates. @throws {UsageError} if it is too small, or nothing orders them */
function readCandidates({ candidates, count, rerank }: SearchFlags): number {
  if (candidates === undefined) return Math.max(MIN_CANDIDATES, CANDIDATES_PER_HIT * count);
  if (rerank === undefined) throw new UsageError('--candidates requires --rerank');
  if (candidates >= count) return candidates;
  throw new UsageError(`--candidates ${candidates} is below --count ${count}; expected at least as many`);
}

/** Calls `answer` with each non-blank line of stdin until the signal; prints a prompt on a terminal. */
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
