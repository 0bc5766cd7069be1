/**
 * Evaluates the engine on sentence pairs with human scores: `npm run eval -- --sts FILE [--texts FILE] [--limit 1000]`.
 * FILE is .jsonl with a, b and score, or the tab-separated form of the STS Benchmark. Prints Spearman and Pearson
 * correlations of the cosines for int8 and fp32, and the cosines of int8 and fp32 vectors on the pairs and, with
 * --texts, on the texts of another file.
 */

import { parseArgs } from 'node:util';
import { pearson, spearman } from '@embedmill/analysis';
import { readConfig } from '@embedmill/core/process';
import { Embedder, prepareModel } from '@embedmill/embed';
import { describeMachine } from '../support/machine.mjs';
import { printTable } from '../support/table.mjs';
import { readTexts } from '../support/texts.mjs';

import { readPairs } from './pairs.mjs';

const { values: options } = parseArgs({
  options: { sts: { type: 'string' }, texts: { type: 'string' }, limit: { type: 'string', default: '1000' } },
});
if (options.sts === undefined) {
  console.error('usage: npm run eval -- --sts FILE [--texts FILE] [--limit 1000]');
  process.exit(2);
}
const pairs = await readPairs(options.sts);
const others = options.texts === undefined ? [] : await readTexts(options.texts, Number(options.limit));

const { cacheDir } = readConfig(process.env);
const vectors = {};
const rows = [];
for (const precision of ['fp32', 'int8']) {
  const embedder = await Embedder.open(await prepareModel({ precision, cacheDir }));
  const embedAll = async (texts) => {
    const all = [];
    for (const text of texts) {
      const vector = new Float32Array(embedder.model.dim);
      await embedder.embed(text, vector, 0);
      all.push(vector);
    }
    return all;
  };
  const a = await embedAll(pairs.map((pair) => pair.a));
  const b = await embedAll(pairs.map((pair) => pair.b));
  vectors[precision] = { pairs: [...a, ...b], others: await embedAll(others) };
  await embedder.close();
  const cosines = a.map((vector, i) => dot(vector, b[i]));
  const scores = pairs.map((pair) => pair.score);
  rows.push([precision, spearman(cosines, scores).toFixed(4), pearson(cosines, scores).toFixed(4)]);
}
console.log(describeMachine());
console.log(`${options.sts}: ${pairs.length} pairs\n`);
printTable(['precision', 'Spearman', 'Pearson'], rows);
console.log('');
printTable(
  ['cosine similarity of int8 to fp32', 'texts', 'mean', 'worst 1 %', 'minimum'],
  [closeness('the pairs', 'pairs'), ...(others.length > 0 ? [closeness(options.texts, 'others')] : [])],
);

function closeness(name, set) {
  const cosines = vectors.int8[set].map((vector, i) => dot(vector, vectors.fp32[set][i]));
  // An empty text has zeros in both precisions.
  const sorted = cosines.filter((cosine) => cosine !== 0).sort((x, y) => x - y);
  const mean = sorted.reduce((sum, cosine) => sum + cosine, 0) / sorted.length;
  const worst = sorted[Math.floor(sorted.length / 100)];
  return [name, sorted.length, mean.toFixed(5), worst.toFixed(5), sorted[0].toFixed(5)];
}

function dot(a, b) {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}
