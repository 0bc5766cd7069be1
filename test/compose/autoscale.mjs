/**
 * Shows `embedmill autoscale --compose` on a load ramp with real containers: a run for one worker, one that
 * takes three, and the calm after them; `node test/compose/autoscale.mjs`. Skipped with a message where no
 * Docker engine answers.
 *
 * Prints the backlog and the workers over time, the command's own lines, and exits with 1 when the fleet did
 * not grow to three and shrink to one again, or when a row is missing. The command must be built (`npm run
 * build`).
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ask,
  askJson,
  buildImages,
  compose,
  env,
  PRODUCER,
  ROOT,
  resultOf,
  runningWorkers,
  skipWithoutDocker,
  submitRun,
  until,
  withStack,
} from './stack.mjs';

/** Rows that one worker of half a core does within the drain target, and rows that three do. */
const SMALL = 2_000;
const LARGE = Number(process.argv[2] ?? 14_000);
const COOL_DOWN_S = 15;

skipWithoutDocker();
env.COMPOSE_FILE = 'compose.yaml:test/compose/autoscale.yaml';
const startedAt = performance.now();
const report = { rows: SMALL + LARGE, timeline: [], said: [], results: [] };

/** Notes backlog and workers every second until `signal` is aborted. */
async function watch(signal) {
  while (!signal.aborted) {
    const scale = await askJson(`${PRODUCER}/v1/scale`).catch(() => null);
    if (scale !== null) {
      const running = runningWorkers().length;
      const { desiredWorkers: wanted, backlogRows } = scale;
      const last = report.timeline.at(-1);
      if (last?.running !== running || last?.wanted !== wanted || last?.connected !== scale.workers) {
        const atSeconds = Math.round((performance.now() - startedAt) / 1000);
        report.timeline.push({ atSeconds, backlogRows, wanted, running, connected: scale.workers });
      }
    }
    await sleep(1000);
  }
}

const ended = (id) =>
  until(
    'the end of the run',
    900,
    async () => (await askJson(`${PRODUCER}/v1/runs/${id}`)).state !== 'sealed',
  );

await withStack(report, async () => {
  buildImages();
  compose('up', '-d', '--no-build', 'redis', 'producer', 'worker');
  await until('the producer', 60, async () => (await ask(`${PRODUCER}/readyz`)).ok);
  await until('the first worker', 60, async () => (await askJson(`${PRODUCER}/v1/scale`)).workers === 1);
  const limits = ['--min', '1', '--max', '3', '--cool-down', String(COOL_DOWN_S), '--every', '2'];
  const args = ['apps/cli/bin/embedmill.mjs', 'autoscale', '--compose', '--server', PRODUCER, ...limits];
  const autoscale = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'ignore', 'pipe'] });
  autoscale.stderr.setEncoding('utf8').on('data', (text) => report.said.push(...text.trim().split('\n')));
  const watching = new AbortController();
  const watched = watch(watching.signal);
  try {
    const small = await submitRun(SMALL);
    await ended(small);
    const large = await submitRun(LARGE);
    await ended(large);
    await until('one worker', 120, async () => runningWorkers().length === 1);
    report.results = [await resultOf(small), await resultOf(large)];
  } finally {
    watching.abort();
    await watched;
    const left = once(autoscale, 'exit');
    autoscale.kill('SIGINT');
    report.exitCode = (await left)[0];
  }
  const sizes = report.timeline.map(({ running }) => running);
  return (
    report.results.every(({ whole }) => whole) &&
    report.exitCode === 0 &&
    Math.max(...sizes) === 3 &&
    sizes.at(-1) === 1
  );
});
