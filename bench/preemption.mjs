/**
 * `npm run bench:preemption [-- --file PATH --threads N --questions N]`: waiting time of an interactive text
 * while all inference threads work on bulk batches.
 *
 * The same questions are timed twice, one at a time at random moments: on idle threads, and during bulk work.
 * Bulk texts are timed alone on one thread as well, because a question may have to wait for one.
 */

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { encodeBatchPayload } from '@embedmill/core/batch';
import { defaultThreads } from '@embedmill/core/process';
import { Embedder, prepareModel } from '@embedmill/embed';
import { InferencePool } from '@embedmill/worker/inference';
import { describeMachine } from './support/machine.mjs';
import { percentile, printTable } from './support/table.mjs';
import { readTexts } from './support/texts.mjs';

const { values } = parseArgs({
  options: {
    file: { type: 'string' },
    threads: { type: 'string', default: String(defaultThreads()) },
    questions: { type: 'string', default: '400' },
  },
});
const threads = Number(values.threads);
const questions = Number(values.questions);
const BATCH_TEXTS = 250;
const OPTIONS = { precision: 'int8', truncate: 'end' };
/** Mean pause between two questions, so that they arrive at random moments. */
const MEAN_PAUSE_MS = 20;

const model = await prepareModel({ precision: 'int8', cacheDir: join(tmpdir(), 'embedmill-bench') });
const bulkTexts = await readTexts(values.file, 2000);
const bulkTextMs = await timeEachText();

const pool = new InferencePool({ threads, prepare: () => model });
await pool.start();
const idleMs = await timeQuestions();
let isBulkRunning = true;
const started = performance.now();
const bulk = Array.from({ length: 2 * threads + 1 }, (_, lane) => runBulk(lane));
const loadedMs = await timeQuestions();
isBulkRunning = false;
const bulkRows = (await Promise.all(bulk)).reduce((sum, rows) => sum + rows, 0);
const bulkSeconds = (performance.now() - started) / 1000;
await pool.stop();

console.log(describeMachine());
console.log(
  `${threads} threads · ${questions} questions, one at a time, ${MEAN_PAUSE_MS} ms apart on average · bulk: ${values.file ?? 'sample'}, ` +
    `batches of ${BATCH_TEXTS}, ${Math.round(bulkRows / bulkSeconds)} rows/s during the questions\n`,
);
const percentiles = (ms) => [50, 95, 99, 100].map((p) => percentile(ms, p).toFixed(1));
const added = [50, 95, 99, 100].map((p) => (percentile(loadedMs, p) - percentile(idleMs, p)).toFixed(1));
printTable(
  ['ms', 'p50', 'p95', 'p99', 'max'],
  [
    ['query, idle threads', ...percentiles(idleMs)],
    ['query, all threads on bulk', ...percentiles(loadedMs)],
    ['added by bulk', ...added],
    ['one bulk text', ...percentiles(bulkTextMs)],
  ],
);

/** Milliseconds from question to vector, for each question. */
async function timeQuestions() {
  const ms = [];
  for (let asked = 0; asked < questions; asked++) {
    await delay(Math.random() * 2 * MEAN_PAUSE_MS);
    const startedAt = performance.now();
    await pool.embedTexts([`How long does the battery of model ${asked} last?`], OPTIONS);
    ms.push(performance.now() - startedAt);
  }
  return ms;
}

/** Keeps one batch in the pool at any time; returns the number of rows done. */
async function runBulk(lane) {
  let rows = 0;
  for (let batch = lane; isBulkRunning; batch++) {
    const first = (batch * BATCH_TEXTS) % bulkTexts.length;
    const texts = bulkTexts.slice(first, first + BATCH_TEXTS);
    await pool.embedBatch({ payload: encodeBatchPayload(texts), batch, ...OPTIONS });
    rows += texts.length;
  }
  return rows;
}

/** Milliseconds of each bulk text alone in an engine. */
async function timeEachText() {
  const embedder = await Embedder.open(model);
  const target = new Float32Array(model.dim);
  const ms = [];
  for (const text of bulkTexts.slice(0, 500)) {
    const startedAt = performance.now();
    await embedder.embed(text, target, 0, OPTIONS);
    ms.push(performance.now() - startedAt);
  }
  await embedder.close();
  return ms;
}
