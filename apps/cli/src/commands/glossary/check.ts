/** `embedmill glossary check`: validates a glossary, and shows its effect on pairs of texts. */

import type { Precision } from '@embedmill/contract';
import { type Config, readConfig } from '@embedmill/core/process';
import { chainedEntries } from '@embedmill/embed/glossary';
import type { Command } from 'commander';
import { openEmbedder } from '../../engine/embedder/open.ts';
import { scorePairs } from '../../engine/embedder/score-pairs.ts';
import type { TreatmentFlags } from '../../engine/embedder/treatment.ts';
import { type PlacedTerm, readPlacedTerms } from '../../io/glossary.ts';
import { type LabelledTexts, readPairs } from '../../io/records/read-pairs.ts';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import { examples, modelOption, precisionOption, pullOption, wholeNumber } from '../../shell/options.ts';
import { countRows, displayFor, type ProgressDisplay } from '../../shell/progress/index.ts';
import { cutLine } from '../../shell/terminal/lines.ts';
import { formatCount, formatNoun } from '../../shell/terminal/numbers.ts';
import { formatTable } from '../../shell/terminal/table.ts';
import { cleanOption, longOption, promptOption } from '../../shell/treatment-options.ts';

const EXPLANATION = `
Errors of FILE end the command with exit code 2 and their lines: blank and
repeated terms, cycles, unknown languages, and one term for two languages of the
same script. A wording that is itself a term is not replaced again; such chains
are listed.

--pairs is a file in any format of embedmill embed with two texts (a, b) and a
label: 1, true, yes or same; 0, false, no or different. Both texts are embedded
without and with the glossary. In the right order are those combinations of a
same and a different pair in which the same pair has the higher score.
`;

/** Chains that are printed. */
const CHAINS_SHOWN = 10;

/** Maximum length of a text in the table. */
const MAX_TEXT_CHARS = 40;

interface CheckFlags extends Omit<TreatmentFlags, 'glossary'> {
  pairs?: string;
  a: string;
  b: string;
  label: string;
  count: number;
  model?: string;
  precision: Precision;
  json?: true;
  quiet?: true;
}

/** A pair with its scores; `null` if a text has no vector. */
interface ScoredTexts extends LabelledTexts {
  before: number | null;
  after: number | null;
}

/** What a glossary does to pairs. */
interface PairsEffect {
  model: string;
  /** Mean scores by label; `null` without such pairs. */
  same: { before: number; after: number } | null;
  different: { before: number; after: number } | null;
  /** Share of the combinations of a same and a different pair in the right order, 0 to 1; `null` without them. */
  rightOrder: { before: number; after: number } | null;
  pairs: ScoredTexts[];
}

/** Adds the command; `end` receives its exit code. */
export function addCheckCommand(
  glossary: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  const command = glossary
    .command('check')
    .summary('validate a glossary and show its effect')
    .description('Validate a glossary, and show its effect on pairs of texts.')
    .argument('<file>', 'glossary: .json, or .csv with term, wording, case, language')
    .option('--pairs <file>', 'file of labelled pairs')
    .option('--a <field>', 'field or column with the first text', 'a')
    .option('--b <field>', 'field or column with the second text', 'b')
    .option('--label <field>', 'field or column with the label', 'label')
    .option('-k, --count <pairs>', 'maximum pairs to print', wholeNumber(1), 20);
  for (const option of [
    precisionOption(),
    modelOption(context.environment),
    pullOption(),
    cleanOption(),
    longOption(),
    promptOption(),
  ])
    command.addOption(option);
  command
    .option('--json', 'print one JSON object')
    .option('--quiet', 'print no progress')
    .addHelpText(
      'after',
      EXPLANATION +
        examples(
          ['embedmill glossary check terms.csv', 'errors by line'],
          ['embedmill glossary check terms.csv --pairs pairs.csv', 'scores before and after'],
          ['embedmill glossary check terms.csv --pairs pairs.csv --model multilingual', 'with another model'],
        ),
    )
    .action(async (file: string, flags: CheckFlags) => {
      await checkCommand(file, flags, context, readConfig(context.environment));
      end(EXIT.ok);
    });
}

async function checkCommand(
  file: string,
  flags: CheckFlags,
  context: CommandContext,
  config: Config,
): Promise<void> {
  const terms = await readPlacedTerms(file);
  const pairs = flags.pairs === undefined ? null : await readPairs(flags.pairs, { ...flags, sameFrom: null });
  const display = displayFor(context, flags.quiet ?? false);
  const effect = pairs === null ? null : await effectOn(pairs, file, flags, { config, display });
  const chains = chainedEntries(terms).map(({ entry, next }) => [terms[entry]!, terms[next]!] as const);
  const figures = {
    terms: terms.length,
    unchanged: terms.filter(isUnchanged).length,
    languages: languagesOf(terms),
    chains: chains.map(([from, to]) => ({ term: from.term, wording: from.wording, place: to.place })),
  };
  const lines = flags.json
    ? [JSON.stringify({ ...figures, ...(effect !== null && { effect }) })]
    : [
        ...describeTerms(file, figures, chains),
        ...(effect === null ? [] : describeEffect(effect, flags.count)),
      ];
  context.stdout.write(`${lines.join('\n')}\n`);
}

/** A term that is its own wording, such as a suggestion that was not completed. */
function isUnchanged({ term, wording }: PlacedTerm): boolean {
  return term.trim() === wording;
}

/** Number of terms by language. */
function languagesOf(terms: readonly PlacedTerm[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { language } of terms) {
    if (language !== undefined) counts[language] = (counts[language] ?? 0) + 1;
  }
  return counts;
}

function describeTerms(
  file: string,
  { terms, unchanged, languages }: { terms: number; unchanged: number; languages: Record<string, number> },
  chains: readonly (readonly [from: PlacedTerm, to: PlacedTerm])[],
): string[] {
  const limited = Object.entries(languages).map(
    ([language, count]) => `${formatCount(count)} for ${language}`,
  );
  const facts = [
    ...limited,
    ...(unchanged > 0 ? [`${formatCount(unchanged)} with the term itself as the wording`] : []),
  ];
  return [
    `${file}: ${formatNoun(terms, 'term')}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}`,
    ...chains
      .slice(0, CHAINS_SHOWN)
      .map(
        ([from, to]) =>
          `Chain: ${from.place} replaces ${from.term} by ${from.wording}, which ${to.place} would replace by ${to.wording}.`,
      ),
    ...(chains.length > CHAINS_SHOWN
      ? [`… and ${formatNoun(chains.length - CHAINS_SHOWN, 'more chain')}`]
      : []),
  ];
}

async function effectOn(
  pairs: readonly LabelledTexts[],
  glossary: string,
  flags: CheckFlags,
  { config, display }: { config: Config; display: ProgressDisplay },
): Promise<PairsEffect> {
  const signal = interruptionSignal(() => {});
  const score = async (treatment: Pick<TreatmentFlags, 'glossary'>) => {
    const deps = { config, signal, inputType: 'document' } as const;
    const embedder = await openEmbedder({ ...flags, ...treatment }, deps);
    try {
      let show: ((done: number) => void) | null = null;
      const scores = await scorePairs(pairs, embedder, (done, total) => {
        show ??= countRows(display, total);
        show(done);
      });
      return { scores, model: embedder.name };
    } finally {
      display.end();
      await embedder.close();
    }
  };
  const [before, after] = [await score({}), await score({ glossary })];
  const scored = pairs.map(
    (pair, n): ScoredTexts => ({ ...pair, before: before.scores[n]!, after: after.scores[n]! }),
  );
  const complete = scored.filter(isComplete);
  const [same, different] = [true, false].map((label) => complete.filter((pair) => pair.same === label));
  return {
    model: before.model,
    same: meansOf(same!),
    different: meansOf(different!),
    rightOrder:
      same!.length === 0 || different!.length === 0
        ? null
        : {
            before: shareInOrder(same!, different!, 'before'),
            after: shareInOrder(same!, different!, 'after'),
          },
    pairs: scored,
  };
}

/** A pair of two texts with vectors. */
interface CompleteTexts extends ScoredTexts {
  before: number;
  after: number;
}

function isComplete(pair: ScoredTexts): pair is CompleteTexts {
  return pair.before !== null && pair.after !== null;
}

function meansOf(pairs: readonly CompleteTexts[]): { before: number; after: number } | null {
  if (pairs.length === 0) return null;
  const mean = (when: 'before' | 'after') => pairs.reduce((sum, pair) => sum + pair[when], 0) / pairs.length;
  return { before: mean('before'), after: mean('after') };
}

/** Share of the combinations of a same and a different pair in which the same pair has the higher score. */
function shareInOrder(
  same: readonly CompleteTexts[],
  different: readonly CompleteTexts[],
  when: 'before' | 'after',
): number {
  const scores = different.map((pair) => pair[when]).sort((a, b) => a - b);
  const right = same.reduce((sum, pair) => sum + countBelow(scores, pair[when]), 0);
  return right / (same.length * different.length);
}

/** Number of sorted values below a limit. */
function countBelow(sorted: readonly number[], limit: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The pairs that change, largest change first, and a summary. */
function describeEffect({ model, same, different, rightOrder, pairs }: PairsEffect, count: number): string[] {
  const changed = pairs
    .filter(isComplete)
    .map((pair) => ({ ...pair, change: pair.after - pair.before }))
    .filter(({ change }) => Math.abs(change) >= 0.00005)
    .sort((a, b) => Math.abs(b.change) - Math.abs(a.change));
  const shown = changed.slice(0, count);
  const table = formatTable(
    [
      ['', 'before', 'after', 'change', 'texts'],
      ...shown.map(({ same: isSame, before, after, change, a, b }) => [
        isSame ? 'same' : 'different',
        before.toFixed(4),
        after.toFixed(4),
        signed(change),
        `${cutLine(a, MAX_TEXT_CHARS)} | ${cutLine(b, MAX_TEXT_CHARS)}`,
      ]),
    ],
    [1, 2, 3],
  );
  const summary = formatTable(
    [
      ['', 'before', 'after', 'change'],
      ...(
        [
          ['mean of same', same],
          ['mean of different', different],
          ['in the right order', rightOrder],
        ] as const
      ).flatMap(([name, figures]) =>
        figures === null
          ? []
          : [
              [
                name,
                figures.before.toFixed(4),
                figures.after.toFixed(4),
                signed(figures.after - figures.before),
              ],
            ],
      ),
    ],
    [1, 2, 3],
  );
  const rest = changed.length - shown.length;
  return [
    `${formatNoun(pairs.length, 'pair')}, ${formatCount(changed.length)} changed; ${model}`,
    '',
    ...(shown.length > 0 ? [...table, ...(rest > 0 ? [`… and ${formatCount(rest)} more`] : []), ''] : []),
    ...summary,
  ];
}

function signed(change: number): string {
  return `${change < 0 ? '−' : '+'}${Math.abs(change).toFixed(4)}`;
}
