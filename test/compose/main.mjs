/**
 * Runs the compose stack in Docker, without Grafana: 32,000 rows, workers 1 → 3 → one killed → 1, every row
 * checked; `node test/compose/main.mjs [rows] [panels.json]`.
 *
 * Skipped with a message if no Docker engine responds. Prints a report as JSON and exits with 1 if a row is
 * missing or Prometheus does not see the workers start and stop. `panels.json` receives the data of the
 * overview dashboard for the whole run; render-overview.mjs draws it.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { recordPanels } from './panels.mjs';
import {
  buildImages,
  compose,
  PRODUCER,
  PROMETHEUS,
  request,
  requestJson,
  resultOf,
  run,
  runningWorkers,
  skipWithoutDocker,
  submitRun,
  until,
  withStack,
} from './stack.mjs';

const ROWS = Number(process.argv[2] ?? 32_000);
const panelsFile = process.argv[3];
/** Seconds for measuring the speed of a fleet size, after `SETTLE_S`. */
const MEASURE_S = 12;
const SETTLE_S = 6;
const TARGET_TIMEOUT_S = 60;

skipWithoutDocker();
const startedAt = performance.now();
const elapsedS = (since = startedAt) => Math.round((performance.now() - since) / 100) / 10;
const report = { rows: ROWS, images: {}, readySeconds: {}, phases: [], targets: [] };

const scaleTo = (count) =>
  compose('up', '-d', '--no-build', '--no-recreate', '--scale', `worker=${count}`, 'worker');

/** Number of workers that Prometheus reaches; every change is recorded. */
async function targetsUp() {
  const { data } = await requestJson(`${PROMETHEUS}/api/v1/targets?state=active`);
  const up = data.activeTargets.filter(
    ({ labels, health }) => labels.job === 'embedmill-worker' && health === 'up',
  ).length;
  if (report.targets.at(-1)?.up !== up) report.targets.push({ atSeconds: elapsedS(), up });
  return up;
}

const waitForTargets = (count) =>
  until(`${count} worker targets in Prometheus`, TARGET_TIMEOUT_S, async () => (await targetsUp()) === count);

async function measure(label, id) {
  await sleep(SETTLE_S * 1000);
  const before = await requestJson(`${PRODUCER}/v1/runs/${id}`);
  const from = performance.now();
  await sleep(MEASURE_S * 1000);
  const after = await requestJson(`${PRODUCER}/v1/runs/${id}`);
  const rowsPerSecond = (after.rows.done - before.rows.done) / ((performance.now() - from) / 1000);
  const scale = await requestJson(`${PRODUCER}/v1/scale`);
  report.phases.push({
    label,
    atSeconds: elapsedS(),
    rowsDone: after.rows.done,
    rowsPerSecond: Math.round(rowsPerSecond * 10) / 10,
    workersConnected: scale.workers,
    desiredWorkers: scale.desiredWorkers,
  });
}

await withStack(report, async () => {
  report.images = buildImages();
  const upAt = performance.now();
  compose('up', '-d', '--no-build', 'redis', 'producer', 'prometheus', 'worker');
  await until('the producer', 60, async () => (await request(`${PRODUCER}/readyz`)).ok);
  report.readySeconds.producer = elapsedS(upAt);
  await until('the first worker', 60, async () => (await requestJson(`${PRODUCER}/v1/scale`)).workers === 1);
  report.readySeconds.worker = elapsedS(upAt);
  await waitForTargets(1);

  const id = await submitRun(ROWS);
  await measure('1 worker', id);
  scaleTo(3);
  await waitForTargets(3);
  await measure('3 workers', id);
  const [victim] = runningWorkers();
  run('docker', 'kill', victim);
  await waitForTargets(2);
  await measure('3 workers, one killed', id);
  scaleTo(1);
  await waitForTargets(1);
  await measure('1 worker again', id);
  await until('the end of the run', 900, async () => {
    await targetsUp();
    return (await requestJson(`${PRODUCER}/v1/runs/${id}`)).state !== 'sealed';
  });
  report.result = await resultOf(id);
  if (panelsFile !== undefined) await recordPanels(PROMETHEUS, elapsedS(), panelsFile);
  const seen = report.targets.map(({ up }) => up);
  return (
    report.result.whole &&
    report.phases.every(({ rowsPerSecond }) => rowsPerSecond > 0) &&
    [1, 2, 3].every((count) => seen.includes(count))
  );
});
