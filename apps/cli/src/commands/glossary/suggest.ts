/** `embedmill glossary suggest`: proposes terms that a model does not know, for a person to reword. */

import {
  countScripts,
  describeUnknownTokens,
  mostFrequent,
  type Precision,
  UNTREATED,
} from '@embedmill/contract';
import { type Config, readConfig } from '@embedmill/core/process';
import type { Command } from 'commander';
import { type LocalEmbedder, openLocalEmbedder } from '../../engine/embedder/local.ts';
import { readModel } from '../../engine/embedder/model-options.ts';
import { readGlossary } from '../../io/glossary.ts';
import { writeTable } from '../../io/records/write-table.ts';
import type { TextsFlags } from '../../io/texts/choices.ts';
import { readTextRows } from '../../io/texts/read-texts.ts';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode, UsageError } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import {
  examples,
  modelOption,
  precisionOption,
  pullOption,
  textsOptions,
  wholeNumber,
} from '../../shell/options.ts';
import { checkOutputPath } from '../../shell/output-path.ts';
import { countRows, displayFor } from '../../shell/progress/index.ts';
import { formatCount, formatNoun } from '../../shell/terminal/numbers.ts';
import { formatTable } from '../../shell/terminal/table.ts';
import { glossaryOption } from '../../shell/treatment-options.ts';
import { neighboursOf } from './neighbours.ts';
import { type TermCandidate, TermCounter } from './terms.ts';

const EXPLANATION = `
Proposes frequent words with tokens that are unknown to the model, and words
that it splits into many pieces, with the known words of the texts that the
model places nearest. OUTPUT can be used with --glossary at once, because every
wording is the term itself, which changes nothing. Replace the wording of the
terms that you know, such as "cervical cancer" for 宫颈癌; the columns after
"language" are for your information.
`;

/** Maximum known words that are compared with terms. */
const MAX_KNOWN_WORDS = 2_000;

/** Lines of the printed table. */
const TERMS_SHOWN = 20;

/** Texts whose unknown tokens are counted. */
const SAMPLE_TEXTS = 1_000;

/** Maximum length of an example. */
const MAX_EXAMPLE_CHARS = 200;

/** Columns of the output; the first four are those of a glossary. */
const COLUMNS = 'term,wording,case,language,count,texts,pieces,unknown,neighbours,example'.split(',');

interface SuggestFlags extends TextsFlags {
  to?: string;
  count: number;
  minTexts: number;
  minPieces: number;
  limit: number;
  glossary?: string;
  model?: string;
  precision: Precision;
  json?: true;
  quiet?: true;
}

/** A proposed term. */
interface Suggestion extends Omit<TermCandidate, 'examples'> {
  neighbours: string[];
  example: string;
}

/** Adds the command; `end` receives its exit code. */
export function addSuggestCommand(
  glossary: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  const command = glossary
    .command('suggest')
    .summary('propose terms that a model does not know')
    .description('Propose terms of texts that a model does not know.')
    .argument('<input>', 'file of texts, folder, glob, URL or database')
    .option('--to <output>', 'glossary to complete: .csv (default: only print terms)')
    .option('-k, --count <terms>', 'maximum terms', wholeNumber(1), 200)
    .option('--min-texts <n>', 'minimum texts with a term', wholeNumber(1), 3)
    .option('--min-pieces <n>', 'minimum pieces of a word whose pieces are known', wholeNumber(2), 3)
    .option('--limit <texts>', 'maximum different texts to read', wholeNumber(1), 100_000);
  for (const option of [
    ...textsOptions(),
    precisionOption(),
    modelOption(context.environment),
    pullOption(),
    glossaryOption(),
  ])
    command.addOption(option);
  command
    .option('--json', 'print one JSON object')
    .option('--quiet', 'print no progress')
    .addHelpText(
      'after',
      EXPLANATION +
        examples(
          ['embedmill glossary suggest reviews.csv --to terms.csv', 'terms to complete'],
          ['embedmill glossary suggest reviews.csv --glossary terms.csv', 'terms that are not in it yet'],
          ['embedmill glossary suggest notes.jsonl --model multilingual --json', 'for another model'],
        ),
    )
    .action(async (input: string, flags: SuggestFlags) => {
      await suggestCommand(input, flags, context, readConfig(context.environment));
      end(EXIT.ok);
    });
}

async function suggestCommand(
  input: string,
  flags: SuggestFlags,
  { stdin, stdout, stderr, environment }: CommandContext,
  config: Config,
): Promise<void> {
  if (flags.to !== undefined) checkOutputPath(flags.to, ['.csv']);
  const signal = interruptionSignal(() => {});
  const display = displayFor({ stdin, stdout, stderr, environment }, flags.quiet ?? false);
  const known = flags.glossary === undefined ? [] : await readGlossary(flags.glossary);
  const embedder = await openLocalEmbedder({
    ...{ config, signal, precision: flags.precision, model: readModel(flags, config) },
    treatment: { ...UNTREATED, inputType: 'none' },
  });
  try {
    const counter = new TermCounter({ countPieces: embedder.countPieces, minPieces: flags.minPieces });
    const distinct = new Set<string>();
    const show = countRows(display, null);
    const deps = { config, stdin, environment, signal };
    for await (const { text } of readTextRows({ ...flags, path: input }, deps)) {
      signal.throwIfAborted();
      // Copies of a text would make all of its phrases frequent.
      if (distinct.has(text)) continue;
      distinct.add(text);
      counter.add(text);
      show(distinct.size);
      if (distinct.size >= flags.limit) break;
    }
    const texts = [...distinct];
    if (texts.length === 0) throw new UsageError(`${input} has no texts`);
    display.end();
    const leftOut = new Set(known.map(([term]) => term.trim().toLowerCase()));
    const terms = counter.terms(flags.minTexts, leftOut).slice(0, flags.count);
    const words = counter.knownWords(flags.minTexts, MAX_KNOWN_WORDS);
    const neighbours = await neighboursOf(terms, texts, words, embedder);
    const suggestions = terms.map(
      ({ examples: [example], ...term }, n): Suggestion => ({
        ...term,
        neighbours: neighbours[n]!,
        example: texts[example!]!.slice(0, MAX_EXAMPLE_CHARS),
      }),
    );
    if (flags.to !== undefined) await writeTable(flags.to, COLUMNS, suggestions.map(cellsOf));
    const signalText = languageSignal(texts.slice(0, SAMPLE_TEXTS), embedder);
    if (signalText !== null) display.warn(`${signalText}; a glossary cannot replace a language.`);
    stdout.write(
      flags.json
        ? `${JSON.stringify({ model: embedder.name, texts: texts.length, terms: suggestions })}\n`
        : `${describeSuggestions(suggestions, texts.length, flags.to).join('\n')}\n`,
    );
  } finally {
    display.end();
    await embedder.close();
  }
}

function cellsOf({ term, count, texts, pieces, unknown, neighbours, example }: Suggestion) {
  return [term, term, '', '', count, texts, pieces, unknown, neighbours.join('; '), example];
}

function describeSuggestions(suggestions: readonly Suggestion[], texts: number, to?: string): string[] {
  const found = `${formatNoun(suggestions.length, 'term')} in ${formatNoun(texts, 'different text')}`;
  if (suggestions.length === 0) return [found];
  const shown = suggestions.slice(0, TERMS_SHOWN);
  const table = formatTable(
    [
      ['term', 'texts', 'pieces', 'unknown', 'nearest known words'],
      ...shown.map(({ term, texts: own, pieces, unknown, neighbours }) => [
        term,
        formatCount(own),
        String(pieces),
        String(unknown),
        neighbours.join(', '),
      ]),
    ],
    [1, 2, 3],
  );
  const rest = suggestions.length - shown.length;
  return [
    ...table,
    ...(rest > 0 ? [`… and ${formatNoun(rest, 'more term')}`] : []),
    to === undefined ? found : `${found}, written to ${to}; replace the wording of those that you know`,
  ];
}

/** The message about the unknown tokens of texts; `null` if there are few. */
function languageSignal(texts: readonly string[], { name, countPieces }: LocalEmbedder): string | null {
  let [tokens, unknownTokens] = [0, 0];
  const scripts = new Map<string, number>();
  for (const text of texts) {
    const pieces = countPieces(text);
    tokens += pieces.tokens;
    unknownTokens += pieces.unknown;
    if (pieces.unknown === 0) continue;
    for (const [script, letters] of countScripts(text)) {
      if (script !== 'Latin') scripts.set(script, (scripts.get(script) ?? 0) + letters);
    }
  }
  const model = name.replace(/ (int8|fp32)$/, '');
  return describeUnknownTokens(
    { tokens, specialTokens: 0, unknownTokens, unknownScript: mostFrequent(scripts) ?? null },
    model,
  );
}
