/**
 * Whether long texts are better embedded in chunks: `npm run eval:long -- --texts FILE [--limit 400] [--ways
 * mean,plain-mean]`. Uses only texts over the token limit. For each way: the cosine of a text and itself
 * without its last or first third, with its sentences reordered, and of its two halves; how often the second
 * half is the nearest of all second halves; the share of the 10 nearest texts that stay the same without the
 * first third; and time.
 */

import { parseArgs } from 'node:util';
import { UNTREATED } from '@embedmill/contract';
import { describeMachine } from '../support/machine.mjs';
import { printTable } from '../support/table.mjs';
import { readTexts } from '../support/texts.mjs';
import { dot, embedAll, openEmbedder } from './vectors.mjs';

const WAYS = ['truncate', 'max-chunks=2', 'max-chunks=4', 'mean', 'plain-mean'];
const NEIGHBOURS = 10;

const { values: options } = parseArgs({
  options: {
    texts: { type: 'string' },
    limit: { type: 'string', default: '400' },
    ways: { type: 'string', default: WAYS.join(',') },
  },
});
const embedder = await openEmbedder();
const texts = (await readTexts(options.texts))
  .filter((text) => embedder.countTokens(text) > embedder.model.maxTokens)
  .slice(0, Number(options.limit));

const rows = [];
for (const long of options.ways.split(',')) {
  const embed = (some) => embedAll(embedder, some, { treatment: { ...UNTREATED, long } });
  const startedAt = performance.now();
  const whole = await embed(texts);
  const msPerText = (performance.now() - startedAt) / texts.length;
  const noEnd = await embed(texts.map((text) => partOf(text, 0, 2 / 3)));
  const noStart = await embed(texts.map((text) => partOf(text, 1 / 3, 1)));
  const shuffled = await embed(texts.map(reorder));
  const [first, second] = [
    await embed(texts.map((text) => partOf(text, 0, 1 / 2))),
    await embed(texts.map((text) => partOf(text, 1 / 2, 1))),
  ];
  rows.push([
    `\`${long}\``,
    meanCosine(whole, noEnd),
    meanCosine(whole, noStart),
    meanCosine(whole, shuffled),
    meanCosine(first, second),
    percent(mean(first.map((vector, i) => (nearest(vector, second, 1)[0] === i ? 1 : 0)))),
    percent(agreement(whole, noStart)),
    msPerText.toFixed(1),
  ]);
}
await embedder.close();
console.log(describeMachine());
console.log(
  `${options.texts ?? 'the sample'}: ${texts.length} texts of more than ${embedder.model.maxTokens} tokens; int8\n`,
);
printTable(
  [
    'long',
    'last third cut',
    'first third cut',
    'sentences shuffled',
    'half to half',
    'half finds half',
    'neighbours kept',
    'ms per text',
  ],
  rows,
);

/** The sentences of a text between two fractions, 0 to 1. */
function partOf(text, from, to) {
  const sentences = sentencesOf(text);
  return sentences.slice(Math.floor(from * sentences.length), Math.ceil(to * sentences.length)).join('\n');
}

/** Reorders the sentences: those at positions 2, 5, …, then 1, 4, …, then 0, 3, …. */
function reorder(text) {
  const sentences = sentencesOf(text);
  return [2, 1, 0].flatMap((rest) => sentences.filter((_, i) => i % 3 === rest)).join('\n');
}

/** Splits a text into sentences and lines; film reviews often have one sentence per line. */
function sentencesOf(text) {
  return text.split(/(?<=[.!?])\s+|\n/).filter((sentence) => /\w/.test(sentence));
}

function agreement(a, b) {
  return mean(
    a.map((vector, i) => {
      const others = new Set(nearest(vector, a, NEIGHBOURS + 1).filter((j) => j !== i));
      const found = nearest(b[i], a, NEIGHBOURS + 1).filter((j) => j !== i);
      return found.slice(0, NEIGHBOURS).filter((j) => others.has(j)).length / NEIGHBOURS;
    }),
  );
}

/** Indices of the `count` vectors with the largest cosine. */
function nearest(vector, all, count) {
  const cosines = all.map((other) => dot(vector, other));
  return cosines
    .map((_, i) => i)
    .sort((i, j) => cosines[j] - cosines[i])
    .slice(0, count);
}

function meanCosine(a, b) {
  return mean(a.map((vector, i) => dot(vector, b[i]))).toFixed(3);
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}
