/**
 * Runs the real compose stack: 20 000 rows, workers 1 → 3 → one killed → 1, every row checked; `node test/compose/main.mjs`.
 *
 * Skipped with a message where no Docker engine answers. Grafana is left out where its image is not there. Prints a report as JSON
 * and exits with 1 when a row is missing or Prometheus did not see the workers come and go.
 */

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ROWS = Number(process.argv[2] ?? 20_000);
/** Seconds in which the speed of a fleet size is measured, after it has settled. */
const MEASURE_S = 12;
const SETTLE_S = 6;
const TARGET_TIMEOUT_S = 60;
/** Longest wait for the answer to an upload, which is held back only while Redis is full. */
const UPLOAD_MS = 60_000;

/** Longest wait for any other answer; Docker's proxy may take a connection before the container listens, and then never answer. */
const ANSWER_MS = 5000;

/** A port that nobody else on this machine uses. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return String(port);
}

const producerPort = await freePort();
const prometheusPort = await freePort();
const PRODUCER = `http://127.0.0.1:${producerPort}`;
const PROMETHEUS = `http://127.0.0.1:${prometheusPort}`;
const startedAt = performance.now();
const elapsedS = () => Math.round((performance.now() - startedAt) / 100) / 10;

const env = {
  ...process.env,
  COMPOSE_PROJECT_NAME: 'embedmill-test',
  EMBEDMILL_PRODUCER_PORT: producerPort,
  EMBEDMILL_PROMETHEUS_PORT: prometheusPort,
  // Half a core each, so that three workers are faster than one on a machine of two cores.
  EMBEDMILL_WORKER_CPUS: '0.5',
  EMBEDMILL_PRODUCER_CPUS: '0.5',
  // The legacy builder of Debian's Docker is enough and is always there.
  DOCKER_BUILDKIT: '0',
};
const run = (command, ...args) =>
  execFileSync(command, args, { cwd: ROOT, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
const works = (command, ...args) => {
  try {
    run(command, ...args);
    return true;
  } catch {
    return false;
  }
};

if (
  !works('docker', 'info', '-f', '{{.ServerVersion}}') ||
  !run('docker', 'info', '-f', '{{.ServerVersion}}')
) {
  console.log('SKIPPED: no Docker engine answers (`docker info`), so the compose stack was not run');
  process.exit(0);
}
const compose = works('docker', 'compose', 'version')
  ? (...args) => run('docker', 'compose', ...args)
  : (...args) => run('docker-compose', ...args);
const workers = (count) =>
  compose('up', '-d', '--no-build', '--no-recreate', '--scale', `worker=${count}`, 'worker');
const runningWorkers = () =>
  run('docker', 'ps', '-q', '--filter', 'name=embedmill-test.worker').split('\n').filter(Boolean);

const ask = async (url, init) => {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(init?.method === 'POST' ? UPLOAD_MS : ANSWER_MS),
    ...init,
  });
  if (!response.ok)
    throw new Error(`${init?.method ?? 'GET'} ${url}: ${response.status} ${await response.text()}`);
  return response;
};
const json = async (url, init) => (await ask(url, init)).json();
const post = (path, body, contentType = 'application/json') =>
  json(`${PRODUCER}${path}`, { method: 'POST', headers: { 'content-type': contentType }, body });
const until = async (what, seconds, check) => {
  for (const deadline = performance.now() + seconds * 1000; ; await sleep(500)) {
    const found = await check().catch(() => false);
    if (found) return found;
    if (performance.now() > deadline) throw new Error(`waited ${seconds} s in vain for ${what}`);
  }
};

const report = { rows: ROWS, images: {}, readySeconds: {}, phases: [], targets: [] };

/** Number of workers that Prometheus reaches; every change is noted. */
async function targetsUp() {
  const { data } = await json(`${PROMETHEUS}/api/v1/targets?state=active`);
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
  const before = await json(`${PRODUCER}/v1/runs/${id}`);
  const from = performance.now();
  await sleep(MEASURE_S * 1000);
  const after = await json(`${PRODUCER}/v1/runs/${id}`);
  const rowsPerSecond = (after.rows.done - before.rows.done) / ((performance.now() - from) / 1000);
  const scale = await json(`${PRODUCER}/v1/scale`);
  report.phases.push({
    label,
    atSeconds: elapsedS(),
    rowsDone: after.rows.done,
    rowsPerSecond: Math.round(rowsPerSecond * 10) / 10,
    workersConnected: scale.workers,
    desiredWorkers: scale.desiredWorkers,
  });
}

const envFile = `${ROOT}infra/embedmill.env`;
if (!existsSync(envFile)) copyFileSync(`${envFile}.example`, envFile);
// A request alone does not keep Node 20 alive, and a probe that is lost must not end this script without a word.
const alive = setInterval(() => {}, 1000);
try {
  for (const target of ['producer', 'worker']) {
    run(
      'docker',
      'build',
      '--network',
      'host',
      '-q',
      '-f',
      'infra/Dockerfile',
      '--target',
      target,
      '-t',
      `embedmill-${target}`,
      '.',
    );
    const bytes = Number(run('docker', 'image', 'inspect', '-f', '{{.Size}}', `embedmill-${target}`));
    report.images[target] = `${Math.round(bytes / 1e6)} MB`;
  }
  const upAt = performance.now();
  compose('up', '-d', '--no-build', 'redis', 'producer', 'prometheus', 'worker');
  await until('the producer', 60, async () => (await ask(`${PRODUCER}/readyz`)).ok);
  report.readySeconds.producer = Math.round((performance.now() - upAt) / 100) / 10;
  await until('the first worker', 60, async () => (await json(`${PRODUCER}/v1/scale`)).workers === 1);
  report.readySeconds.worker = Math.round((performance.now() - upAt) / 100) / 10;
  await waitForTargets(1);

  const { id } = await post('/v1/runs', JSON.stringify({ name: 'compose', batchRows: 63 }));
  const subjects = [
    'The night train',
    'A quiet lake',
    'Our new printer',
    'This old recipe',
    'The last chapter',
  ];
  const lines = Array.from({ length: ROWS }, (_, i) =>
    JSON.stringify({
      id: `row-${i}`,
      text: `${subjects[i % 5]} was better than I had hoped, and I would choose the same again next year, number ${i}.`,
    }),
  );
  await post(`/v1/runs/${id}/rows?part=0`, `${lines.join('\n')}\n`, 'application/x-ndjson');
  await post(`/v1/runs/${id}/seal`, '{}');

  await measure('1 worker', id);
  workers(3);
  await waitForTargets(3);
  await measure('3 workers', id);
  const [victim] = runningWorkers();
  run('docker', 'kill', victim);
  await waitForTargets(2);
  await measure('3 workers, one killed', id);
  workers(1);
  await waitForTargets(1);
  await measure('1 worker again', id);
  const info = await until('the end of the run', 900, async () => {
    await targetsUp();
    const now = await json(`${PRODUCER}/v1/runs/${id}`);
    return now.state !== 'sealed' && now;
  });
  const ids = (await (await ask(`${PRODUCER}/v1/runs/${id}/ids`)).text()).trim().split('\n');
  report.result = {
    state: info.state,
    verdicts: info.verdicts,
    ids: ids.length,
    distinctIds: new Set(ids).size,
    seconds: Math.round((Date.parse(info.endedAt) - Date.parse(info.createdAt)) / 100) / 10,
  };
  const seen = report.targets.map(({ up }) => up);
  const isGood =
    info.state === 'completed' &&
    info.verdicts.ok === ROWS &&
    new Set(ids).size === ROWS &&
    report.phases.every(({ rowsPerSecond }) => rowsPerSecond > 0) &&
    [1, 2, 3].every((count) => seen.includes(count));
  console.log(JSON.stringify({ ...report, good: isGood }, null, 2));
  if (!isGood) process.exitCode = 1;
} catch (error) {
  console.log(JSON.stringify(report, null, 2));
  console.error(error.message, error.stderr ?? '');
  if (works('docker', 'ps'))
    console.error(compose('logs', '--tail', '20', 'producer', 'worker', 'redis', 'prometheus'));
  process.exitCode = 1;
} finally {
  clearInterval(alive);
  compose('down', '-v', '-t', '5');
}
