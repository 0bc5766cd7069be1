/** Rows per second and memory of each output format: `node bench/sinks.mjs [rows]`, after `npm run build`. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { jsonl, npy, parquet } from '@embedmill/core/formats';

const dim = 384;
const sliceRows = 256;
const cases = {
  npy: [npy, {}],
  parquet: [parquet, {}],
  'jsonl base64': [jsonl, { encoding: 'base64' }],
  'jsonl float': [jsonl, { encoding: 'float' }],
};

/** Rows as the collector passes them: slices of 256, every 100th row without a vector. */
async function* makeRows(rows) {
  const floats = Float32Array.from({ length: sliceRows * dim }, (_, n) => Math.sin(n * n) / 8);
  for (let first = 0; first < rows; first += sliceRows) {
    const count = Math.min(sliceRows, rows - first);
    const present = Uint8Array.from({ length: count }, (_, n) => ((first + n) % 100 === 99 ? 0 : 1));
    const ids = Array.from({ length: count }, (_, n) => `row-${first + n}`);
    yield { ids, dim, vectors: floats.slice(0, count * dim), present };
  }
}

async function measure(name, rows) {
  const [encoding, options] = cases[name];
  const before = process.memoryUsage.rss();
  const start = performance.now();
  let bytes = 0;
  let highest = before;
  for await (const chunk of encoding.encode(makeRows(rows), { rows, dim }, options)) {
    bytes += chunk.length;
    highest = Math.max(highest, process.memoryUsage.rss());
  }
  const seconds = (performance.now() - start) / 1000;
  const speed = Math.round(rows / seconds).toLocaleString('en');
  console.log(
    `${name.padEnd(14)} ${speed.padStart(10)} rows/s ${(bytes / rows).toFixed(0).padStart(6)} bytes/row   +${((highest - before) / 1e6).toFixed(0)} MB RSS`,
  );
}

// Each format has its own process, so that their memory is measured separately.
const [what = '100000', child] = process.argv.slice(2);
if (child !== undefined) await measure(child, Number(what));
else {
  console.log(
    `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.versions.node}; ${what} rows of ${dim}, not written`,
  );
  for (const name of Object.keys(cases))
    await once(fork(fileURLToPath(import.meta.url), [what, name]), 'exit');
}
