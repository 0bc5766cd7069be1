/**
 * Savings of the memory for repeated texts, and its cost without repeats: `npm run bench:repeats -- --texts
 * FILE [--limit N]`. Embeds the same slices alternately with and without memory, so that load on the machine
 * affects both; first all texts, then the distinct ones.
 */

import { parseArgs } from 'node:util';
import { readConfig } from '@embedmill/core/process';
import { Embedder, prepareModel } from '@embedmill/embed';
import { describeMachine } from './support/machine.mjs';
import { median, printTable } from './support/table.mjs';
import { readTexts } from './support/texts.mjs';

const SLICE_TEXTS = 250;

const { values: options } = parseArgs({
  options: {
    texts: { type: 'string' },
    limit: { type: 'string', default: '20000' },
    memory: { type: 'string', default: readConfig({}).repeatsBytes.toString() },
  },
});
const texts = await readTexts(options.texts, Number(options.limit));
const { cacheDir } = readConfig(process.env);
const model = await prepareModel({ precision: 'int8', cacheDir });
const rows = [];
for (const [name, some] of [
  ['all', texts],
  ['distinct', [...new Set(texts.map((text) => text.toLowerCase()))]],
]) {
  const plain = await Embedder.open(model);
  const remembering = await Embedder.open(model, { memoryBytes: Number(options.memory) });
  const ratios = [];
  const totals = [0, 0];
  for (let start = 0; start < some.length; start += SLICE_TEXTS) {
    const slice = some.slice(start, start + SLICE_TEXTS);
    const isEven = (start / SLICE_TEXTS) % 2 === 0;
    const times = [0, 0];
    for (const which of isEven ? [0, 1] : [1, 0])
      times[which] = await timeOf([plain, remembering][which], slice);
    ratios.push(times[1] / times[0]);
    totals[0] += times[0];
    totals[1] += times[1];
  }
  rows.push([
    name,
    some.length,
    `${((100 * remembering.repeats) / some.length).toFixed(1)} %`,
    (totals[0] / totals[1]).toFixed(2),
    median(ratios).toFixed(3),
  ]);
  await plain.close();
  await remembering.close();
}
console.log(describeMachine());
console.log(
  `${options.texts ?? 'the sample'}; ${Number(options.memory) / 2 ** 20} MB of memory; int8, one thread\n`,
);
printTable(['texts', 'rows', 'not computed', 'speedup', 'median time with ÷ without'], rows);

async function timeOf(embedder, slice) {
  const vector = new Float32Array(embedder.model.dim);
  const startedAt = performance.now();
  for (const text of slice) await embedder.embed(text, vector, 0);
  return performance.now() - startedAt;
}
