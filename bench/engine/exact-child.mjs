/**
 * A fresh process for exact-footprint.mjs:
 *   memory WEIGHTS THREADS          prints the resident bytes while THREADS threads hold the model, after a full pack
 *   start WEIGHTS TOKENIZER TOKENS  embeds one text and prints the milliseconds since the process started, and those
 *                                   of CPU
 */

import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { ExactModel } from '@embedmill/engine';

const PACK_TOKENS = 256;

if (isMainThread) {
  const [mode, weights, ...rest] = process.argv.slice(2);
  await (mode === 'memory' ? measureMemory(weights, Number(rest[0])) : start(weights, ...rest));
} else {
  embedPack(workerData);
  parentPort.postMessage('ready');
  // Holds the model until the main thread has measured.
  parentPort.once('message', () => parentPort.close());
}

function embedPack(weights) {
  const model = ExactModel.open(weights);
  model.embed({
    ids: Int32Array.from({ length: PACK_TOKENS }, (_, i) => 1000 + i),
    lengths: Int32Array.of(PACK_TOKENS),
  });
}

async function measureMemory(weights, threads) {
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL(import.meta.url), { workerData: weights }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  console.log(process.memoryUsage.rss());
  for (const worker of workers) worker.postMessage('end');
}

async function start(weights, tokenizerPath, maxTokens) {
  const { TextTokenizer } = await import('../../packages/embed/dist/text/tokenizer.js');
  const tokenizer = await TextTokenizer.read(tokenizerPath, Number(maxTokens));
  const ids = Int32Array.from(tokenizer.encode('A short text.', 'end', []).ids);
  ExactModel.open(weights).embed({ ids, lengths: Int32Array.of(ids.length) });
  const { user, system } = process.cpuUsage();
  console.log(performance.now(), (user + system) / 1e3);
}
