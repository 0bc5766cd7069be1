/**
 * Child process with Embedmill's engine on several threads: the thread pool of the worker, one session per
 * thread.
 */

import { performance } from 'node:perf_hooks';
import { encodeBatchPayload } from '@embedmill/core/batch';
import { readConfig } from '@embedmill/core/process';
import { prepareModel } from '@embedmill/embed';
import { InferencePool } from '@embedmill/worker';

const [, , precision, threads] = process.argv;
const { cacheDir } = readConfig(process.env);
const pool = new InferencePool({
  threads: Number(threads),
  precision,
  prepare: (wanted) => prepareModel({ precision: wanted, cacheDir }),
});
await pool.start();

/** Texts per message to a thread. */
const BATCH_ROWS = 8;

process.on('message', async ({ texts }) => {
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const batches = [];
  for (let i = 0; i < texts.length; i += BATCH_ROWS) {
    const payload = encodeBatchPayload(texts.slice(i, i + BATCH_ROWS));
    batches.push(pool.embedBatch({ payload, batch: i, precision, truncate: 'end' }));
  }
  await Promise.all(batches);
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  process.send({
    seconds,
    cpuSeconds: (user + system) / 1e6,
    latenciesMs: [],
    peakBytes: process.resourceUsage().maxRSS * 1024,
  });
});
process.on('disconnect', () => process.exit());
process.send('ready');
