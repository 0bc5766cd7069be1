/**
 * Measures memory and start of the exact engine in fresh processes: `npm run bench:exact:footprint`.
 * Prints the resident memory with 1, 2, 4 and 8 threads that share the weights, and the time from the start of the
 * process to the first vector, tokenizer included, with a warm file cache.
 */

import { execFileSync } from 'node:child_process';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { readConfig } from '@embedmill/core/process';
import { prepareModel } from '@embedmill/embed';
import { describeMachine } from '../support/machine.mjs';
import { median, printTable } from '../support/table.mjs';

const CHILD = fileURLToPath(new URL('./exact-child.mjs', import.meta.url));
const START_RUNS = 9;

const prepared = await prepareModel({
  precision: 'int8',
  engine: 'exact',
  cacheDir: readConfig(process.env).cacheDir,
});
console.log(`${describeMachine()} · load ${loadavg()[0].toFixed(1)}\n`);

const rows = [];
for (const threads of [1, 2, 4, 8]) {
  const output = execFileSync(process.execPath, [CHILD, 'memory', prepared.modelPath, String(threads)]);
  const bytes = Number(output);
  const perThread = rows.length > 0 ? ((bytes - rows[0].bytes) / (threads - 1) / 1e6).toFixed(1) : '';
  rows.push({ bytes, cells: [threads, (bytes / 1e6).toFixed(0), perThread] });
}
printTable(
  ['threads', 'RSS, MB', 'MB per further thread'],
  rows.map(({ cells }) => cells),
);

const starts = [];
for (let i = 0; i <= START_RUNS; i++) {
  const output = execFileSync(process.execPath, [
    CHILD,
    'start',
    prepared.modelPath,
    prepared.tokenizerPath,
    String(prepared.maxTokens),
  ]);
  if (i > 0) starts.push(String(output).trim().split(' ').map(Number));
}
const clock = starts.map(([ms]) => ms);
console.log(
  `\nstart to first vector, ${START_RUNS} runs: median ${median(clock).toFixed(0)} ms, minimum ${Math.min(...clock).toFixed(0)} ms; CPU median ${median(starts.map(([, ms]) => ms)).toFixed(0)} ms`,
);
