/**
 * Cost of a glossary: `npm run bench:glossary -- --texts FILE [--terms 10000]… [--limit 1000]`. Half of the terms are
 * pairs of words from the texts, the others occur in no text; a third of them is limited to English. Prints the bytes
 * per second of CPU time, the time of the replacements as a share of the time for embedding the same texts with the
 * built-in and the static model, measured in alternating slices, and the time for parsing the glossary.
 */

import { parseArgs } from 'node:util';
import { readConfig } from '@embedmill/core/process';
import { Embedder, Glossary, prepareModel } from '@embedmill/embed';
import { openEmbedder } from './eval/vectors.mjs';
import { describeMachine } from './support/machine.mjs';
import { median, printTable } from './support/table.mjs';
import { readTexts } from './support/texts.mjs';

const SLICE_TEXTS = 50;

/** A slice takes the glossary and the static model about a millisecond, so each does it several times. */
const FAST_ROUNDS = 5;

const { values: options } = parseArgs({
  options: {
    texts: { type: 'string' },
    terms: { type: 'string', multiple: true, default: ['10', '1000', '10000', '50000'] },
    limit: { type: 'string', default: '1000' },
  },
});
const all = await readTexts(options.texts);
const texts = all.slice(0, Number(options.limit));
const { cacheDir } = readConfig(process.env);
const builtIn = await openEmbedder();
const fast = await Embedder.open(await prepareModel({ model: 'static', precision: 'int8', cacheDir }));
console.log(describeMachine());
console.log(`${options.texts ?? 'the sample'}, ${texts.length} texts; int8, one thread\n`);

const glossaries = options.terms.map((count) => {
  const entries = termsFor(all, Number(count));
  const startedAt = performance.now();
  const glossary = new Glossary(entries);
  return {
    glossary,
    readMs: performance.now() - startedAt,
    replacements: 0,
    rates: [],
    shares: [],
    fastShares: [],
  };
});
for (let start = 0; start < texts.length; start += SLICE_TEXTS) {
  const slice = texts.slice(start, start + SLICE_TEXTS);
  const bytes = slice.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const builtInMs = await cpuMs(() => embedAll(builtIn, slice));
  const fastMs =
    (await cpuMs(async () => {
      for (let round = 0; round < FAST_ROUNDS; round++) await embedAll(fast, slice);
    })) / FAST_ROUNDS;
  for (const measured of glossaries) {
    let replaced = 0;
    const ms =
      (await cpuMs(async () => {
        for (let round = 0; round < FAST_ROUNDS; round++) {
          for (const text of slice) replaced += measured.glossary.apply(text).replacements;
        }
      })) / FAST_ROUNDS;
    measured.replacements += replaced / FAST_ROUNDS;
    measured.rates.push(bytes / 1000 / ms);
    measured.shares.push(ms / builtInMs);
    measured.fastShares.push(ms / fastMs);
  }
}
await builtIn.close();
await fast.close();
printTable(
  [
    'terms',
    'terms replaced',
    'MB/s',
    'share of embedding time',
    'of the static model',
    'parsing the glossary',
  ],
  glossaries.map(({ glossary, readMs, replacements, rates, shares, fastShares }) => [
    glossary.size.toLocaleString('en'),
    replacements.toLocaleString('en'),
    median(rates).toFixed(1),
    `${(100 * median(shares)).toFixed(2)} %`,
    `${(100 * median(fastShares)).toFixed(0)} %`,
    `${readMs.toFixed(0)} ms`,
  ]),
);

async function embedAll(embedder, slice) {
  const vectors = new Float32Array(slice.length * embedder.model.dim);
  for (let done = 0; done < slice.length; ) {
    done += (await embedder.embedPack(slice.slice(done), vectors, done * embedder.model.dim)).length;
  }
}

/** CPU time of this process, which other processes hardly change. */
async function cpuMs(work) {
  const from = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1000;
}

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
  return [...pairs, ...absent].map((term, n) => ({
    term,
    wording: 'plain wording',
    ...(n % 3 === 0 && { language: 'en' }),
  }));
}
