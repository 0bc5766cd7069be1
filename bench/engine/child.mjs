/** One engine in a process of its own: opens it, then embeds the texts it was given as often as the parent asks. */

import { performance } from 'node:perf_hooks';
import { ENGINES } from './engines.mjs';

const [, , name, threads] = process.argv;
const engine = await ENGINES[name](Number(threads));

process.on('message', async ({ texts }) => {
  const latenciesMs = [];
  const startedAt = performance.now();
  await engine.embedAll(texts, latenciesMs);
  const seconds = (performance.now() - startedAt) / 1000;
  // Linux reports kilobytes.
  process.send({ seconds, latenciesMs, peakBytes: process.resourceUsage().maxRSS * 1024 });
});
process.on('disconnect', () => process.exit());
process.send('ready');
