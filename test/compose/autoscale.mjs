/**
 * Runs `embedmill autoscale --compose` with real containers under a load ramp: a run for one worker, a run
 * for three, then no load; `node test/compose/autoscale.mjs [rows]`, after `npm run build`. Skipped with a
 * message if no Docker engine responds.
 *
 * Prints the backlog and the workers over time and the output of the command. Exits with 1 if the fleet does
 * not grow to three workers and shrink to one again, or if a row is missing.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  buildImages,
  compose,
  env,
  PRODUCER,
  ROOT,
  request,
  requestJson,
  resultOf,
  runningWorkers,
  skipWithoutDocker,
  submitRun,
  until,
  withStack,
} from './stack.mjs';

/** Rows that one worker with half a core embeds within the drain target, and rows that need three workers. */
const SMALL = 2_000;
const LARGE = Number(process.argv[2] ?? 14_000);
const COOL_DOWN_S = 15;

skipWithoutDocker();
env.COMPOSE_FILE = 'compose.yaml:test/compose/autoscale.yaml';
const startedAt = performance.now();
const report = { rows: SMALL + LARGE, timeline: [], output: [], results: [] };

/** Records every change of the fleet, with the backlog, until `signal` is aborted. */
async function watch(signal) {
  while (!signal.aborted) {
    const scale = await requestJson(`${PRODUCER}/v1/scale`).catch(() => null);
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
    async () => (await requestJson(`${PRODUCER}/v1/runs/${id}`)).state !== 'sealed',
  );

await withStack(report, async () => {
  buildImages();
  compose('up', '-d', '--no-build', 'redis', 'producer', 'worker');
  await until('the producer', 60, async () => (await request(`${PRODUCER}/readyz`)).ok);
  await until('the first worker', 60, async () => (await requestJson(`${PRODUCER}/v1/scale`)).workers === 1);
  const limits = ['--min', '1', '--max', '3', '--cool-down', String(COOL_DOWN_S), '--every', '2'];
  const args = ['apps/cli/bin/embedmill.mjs', 'autoscale', '--compose', '--server', PRODUCER, ...limits];
  const autoscale = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'ignore', 'pipe'] });
  autoscale.stderr.setEncoding('utf8').on('data', (text) => report.output.push(...text.trim().split('\n')));
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
    const exited = once(autoscale, 'exit');
    autoscale.kill('SIGINT');
    report.exitCode = (await exited)[0];
  }
  const sizes = report.timeline.map(({ running }) => running);
  return (
    report.results.every(({ whole }) => whole) &&
    report.exitCode === 0 &&
    Math.max(...sizes) === 3 &&
    sizes.at(-1) === 1
  );
});
