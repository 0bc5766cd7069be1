/**
 * Search latency: `node bench/analysis/search.mjs [rows]`. Generates vectors from a seed, then times a scan
 * of all of them for one question, with the dot product of `@embedmill/core` and with a plain loop, and the
 * reading of the same rows from .npy and .parquet.
 */

import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Nearest, npy, parquet, scanRows } from '@embedmill/core/formats';
import { openVectors } from '../../apps/cli/dist/io/vectors/open.js';
import { describeMachine } from '../support/machine.mjs';
import { median, printTable } from '../support/table.mjs';

const dim = 384;
const sliceRows = 5_000;
const questions = 7;
const rows = Number(process.argv[2] ?? 1_000_000);

const slices = [...makeSlices()];
const query = slices[0].vectors.slice(0, dim);
console.log(describeMachine());
console.log(`${rows} vectors of ${dim} floats, ${questions} questions\n`);
printTable(
  ['scan', 'median ms', 'CPU ms'],
  timesOf({
    '@embedmill/core, 10 hits': () => scanAll(10),
    '@embedmill/core, 1,000 hits': () => scanAll(1000),
    'one plain loop, best hit': plainLoop,
  }),
);
console.log('');
printTable(['reading a file', 'seconds', 'rows/s'], [await reading(npy), await reading(parquet)]);

function* makeSlices() {
  let state = 7;
  for (let first = 0; first < rows; first += sliceRows) {
    const count = Math.min(sliceRows, rows - first);
    const vectors = new Float32Array(count * dim);
    for (let n = 0; n < vectors.length; n++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      // Uniform floats of this width have a length near 1.
      vectors[n] = (state / 2 ** 32 - 0.5) * Math.sqrt(12 / dim);
    }
    const ids = Array.from({ length: count }, (_, n) => `row-${first + n}`);
    yield { ids, dim, vectors, present: new Uint8Array(count).fill(1) };
  }
}

function scanAll(count) {
  const nearest = new Nearest(count);
  for (const [n, slice] of slices.entries()) scanRows(query, slice, n * sliceRows, nearest);
  return nearest.hits;
}

function plainLoop() {
  let best = Number.NEGATIVE_INFINITY;
  for (const { ids, vectors } of slices) {
    for (let row = 0; row < ids.length; row++) {
      let score = 0;
      for (let i = 0; i < dim; i++) score += query[i] * vectors[row * dim + i];
      if (score > best) best = score;
    }
  }
  return best;
}

/**
 * Medians of the elapsed time and of the CPU time, which other processes affect less. The scans are
 * interleaved, so that load on the machine affects all of them.
 */
function timesOf(scans) {
  const all = Object.entries(scans).map(([name, scan]) => ({ name, scan, ms: [], cpuMs: [] }));
  for (const { scan } of all) scan();
  for (let n = 0; n < questions; n++) {
    for (const { scan, ms, cpuMs } of all) {
      const start = performance.now();
      const before = process.cpuUsage();
      scan();
      const { user, system } = process.cpuUsage(before);
      ms.push(performance.now() - start);
      cpuMs.push((user + system) / 1000);
    }
  }
  return all.map(({ name, ms, cpuMs }) => [name, median(ms).toFixed(0), median(cpuMs).toFixed(0)]);
}

async function reading(encoding) {
  const folder = mkdtempSync(join(tmpdir(), 'embedmill-bench-'));
  try {
    const path = join(folder, `vectors${encoding.extension}`);
    await pipeline(encoding.encode(slices, { rows, dim }), createWriteStream(path));
    const file = await openVectors(path);
    const start = performance.now();
    let read = 0;
    for await (const slice of file.read()) read += slice.ids.length;
    const seconds = (performance.now() - start) / 1000;
    return [encoding.extension, seconds.toFixed(1), Math.round(read / seconds)];
  } finally {
    rmSync(folder, { recursive: true });
  }
}
