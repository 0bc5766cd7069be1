/** Child process with one engine: opens it, then embeds the texts of each message from its parent. */

import { performance } from 'node:perf_hooks';
import { ENGINES } from './engines.mjs';

const [, , name, threads] = process.argv;
const engine = await ENGINES[name](Number(threads));

process.on('message', async ({ texts }) => {
  const latenciesMs = [];
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  await engine.embedAll(texts, latenciesMs);
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  // Linux reports kilobytes.
  process.send({
    seconds,
    cpuSeconds: (user + system) / 1e6,
    latenciesMs,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  });
});
process.on('disconnect', () => process.exit());
process.send('ready');
