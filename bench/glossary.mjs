/**
 * Cost of a glossary: `npm run bench:glossary -- --texts FILE [--terms 50000] [--limit 1000]`. Half of the
 * terms are pairs of words from the texts, the others occur in no text. Prints the time of the replacements
 * as a share of the time for embedding the same texts, measured in alternating slices, and the time for
 * parsing the glossary.
 */

import { parseArgs } from 'node:util';
import { Glossary } from '@embedmill/embed';
import { openEmbedder } from './eval/vectors.mjs';
import { describeMachine } from './support/machine.mjs';
import { median, printTable } from './support/table.mjs';
import { readTexts } from './support/texts.mjs';

const SLICE_TEXTS = 50;

const { values: options } = parseArgs({
  options: {
    texts: { type: 'string' },
    terms: { type: 'string', default: '50000' },
    limit: { type: 'string', default: '1000' },
  },
});
const all = await readTexts(options.texts);
const texts = all.slice(0, Number(options.limit));
const entries = termsFor(all, Number(options.terms));
const startedAt = performance.now();
const glossary = new Glossary(entries);
const readMs = performance.now() - startedAt;

const embedder = await openEmbedder();
const vector = new Float32Array(embedder.model.dim);
const shares = [];
let replacements = 0;
for (let start = 0; start < texts.length; start += SLICE_TEXTS) {
  const slice = texts.slice(start, start + SLICE_TEXTS);
  const from = performance.now();
  for (const text of slice) replacements += glossary.apply(text).replacements;
  const between = performance.now();
  for (const text of slice) await embedder.embed(text, vector, 0);
  shares.push((between - from) / (performance.now() - between));
}
await embedder.close();
console.log(describeMachine());
console.log(`${options.texts ?? 'the sample'}; int8, one thread\n`);
printTable(
  ['terms', 'texts', 'terms replaced', 'share of embedding time', 'parsing the glossary'],
  [
    [
      glossary.size,
      texts.length,
      replacements,
      `${(100 * median(shares)).toFixed(2)} %`,
      `${readMs.toFixed(0)} ms`,
    ],
  ],
);

/** Distinct pairs of words from the texts, and the same number of terms that occur in no text. */
function termsFor(texts, count) {
  const pairs = new Set();
  for (const text of texts) {
    const words = text.toLowerCase().match(/\p{L}+/gu) ?? [];
    for (let i = 1; i < words.length && pairs.size < count / 2; i++) pairs.add(`${words[i - 1]} ${words[i]}`);
  }
  // Their first words occur in the texts, so that the search considers them.
  const firstWords = [...pairs].slice(0, 1000).map((pair) => pair.split(' ')[0]);
  const absent = Array.from(
    { length: count - pairs.size },
    (_, i) => `${firstWords[i % firstWords.length]} nowhere${i}`,
  );
  return [...pairs, ...absent].map((term) => ({ term, wording: 'plain wording' }));
}
