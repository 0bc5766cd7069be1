/**
 * Loss and size of smaller number types: `npm run eval:dtype -- --sts FILE`. Embeds the sentences of scored
 * pairs, stores the vectors as each dtype, and prints the Spearman correlation of the cosines, the largest
 * error of a cosine, and the bytes per row in each format.
 */

import { parseArgs } from 'node:util';
import { spearman } from '@embedmill/analysis';
import { floatsOfHalves } from '@embedmill/contract';
import { FORMATS, numbersOf } from '@embedmill/core/formats';
import { describeMachine } from '../support/machine.mjs';
import { printTable } from '../support/table.mjs';
import { readPairs } from './pairs.mjs';
import { dot, embedAll, openEmbedder } from './vectors.mjs';

const { values: options } = parseArgs({ options: { sts: { type: 'string' } } });
if (options.sts === undefined) {
  console.error('usage: npm run eval:dtype -- --sts FILE');
  process.exit(2);
}
const pairs = await readPairs(options.sts);
const embedder = await openEmbedder();
const vectors = await embedAll(
  embedder,
  pairs.flatMap(({ a, b }) => [a, b]),
);
await embedder.close();

const formats = [
  ['npy', {}],
  ['parquet', {}],
  ['arrow', {}],
  ['jsonl', { encoding: 'float' }],
  ['jsonl', { encoding: 'base64' }],
];
const exact = cosines(vectors);
const rows = [];
for (const dtype of ['float32', 'float16', 'int8']) {
  const kept = cosines(vectors.map((vector) => keptOf(vector, dtype)));
  const sizes = [];
  for (const [format, choice] of formats) sizes.push(await bytesPerRow(format, { ...choice, dtype }));
  rows.push([
    dtype,
    spearman(
      kept,
      pairs.map(({ score }) => score),
    ).toFixed(4),
    Math.max(...kept.map((cosine, n) => Math.abs(cosine - exact[n]))).toFixed(5),
    ...sizes,
  ]);
}
console.log(describeMachine());
console.log(`${options.sts}: ${pairs.length} pairs; sizes are bytes per row, including the id\n`);
printTable(
  [
    'dtype',
    'Spearman',
    'largest error',
    ...formats.map(([name, { encoding }]) => [name, encoding].join(' ').trim()),
  ],
  rows,
);

/** Scales a vector to length 1. */
function keptOf(vector, dtype) {
  const numbers = numbersOf(vector, vector.length, dtype);
  const floats = numbers instanceof Uint16Array ? floatsOfHalves(numbers) : Float32Array.from(numbers);
  const length = Math.sqrt(dot(floats, floats));
  return floats.map((value) => value / length);
}

function cosines(all) {
  return pairs.map((_, n) => dot(all[2 * n], all[2 * n + 1]));
}

async function bytesPerRow(format, choice) {
  const dim = vectors[0].length;
  async function* slices() {
    const matrix = new Float32Array(vectors.length * dim);
    for (const [row, vector] of vectors.entries()) matrix.set(vector, row * dim);
    const ids = vectors.map((_, row) => `row-${row}`);
    yield { ids, dim, vectors: matrix, present: new Uint8Array(vectors.length).fill(1) };
  }
  let bytes = 0;
  const shape = { rows: vectors.length, dim };
  for await (const chunk of FORMATS[format].encode(slices(), shape, choice)) bytes += chunk.length;
  return Math.round(bytes / vectors.length);
}
