/**
 * The compose stack on ports of its own, with workers of half a core; the scripts of this folder start it,
 * ask it and take it down.
 */

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const PROJECT = 'embedmill-test';
/** Longest wait for the answer to an upload, which is held back only while Redis is full. */
const UPLOAD_MS = 60_000;
/**
 * Longest wait for any other answer; Docker's proxy may take a connection before the container listens, and
 * then never answer.
 */
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
export const PRODUCER = `http://127.0.0.1:${producerPort}`;
export const PROMETHEUS = `http://127.0.0.1:${prometheusPort}`;

/** Of every command here, and of those that work on the same project. */
export const env = {
  ...process.env,
  COMPOSE_PROJECT_NAME: PROJECT,
  EMBEDMILL_PRODUCER_PORT: producerPort,
  EMBEDMILL_PROMETHEUS_PORT: prometheusPort,
  // Half a core each, so that three workers are faster than one on a machine of two cores.
  EMBEDMILL_WORKER_CPUS: '0.5',
  EMBEDMILL_PRODUCER_CPUS: '0.5',
  // The legacy builder of Debian's Docker is enough and is always there.
  DOCKER_BUILDKIT: '0',
};

/** Runs a command in the repository; its output. @throws with what it said when it fails */
export const run = (command, ...args) =>
  execFileSync(command, args, { cwd: ROOT, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();

const works = (command, ...args) => {
  try {
    return run(command, ...args) !== '';
  } catch {
    return false;
  }
};

/** Ends the process with a message where no Docker engine answers. */
export function skipWithoutDocker() {
  if (works('docker', 'info', '-f', '{{.ServerVersion}}')) return;
  console.log('SKIPPED: no Docker engine answers (`docker info`), so the compose stack was not run');
  process.exit(0);
}

/** Runs a command of Compose, whichever there is. */
export function compose(...args) {
  return works('docker', 'compose', 'version')
    ? run('docker', 'compose', ...args)
    : run('docker-compose', ...args);
}

/** Containers of workers that run now. */
export const runningWorkers = () =>
  run('docker', 'ps', '-q', '--filter', `name=${PROJECT}.worker`).split('\n').filter(Boolean);

/** Builds the images of the checked-out code; their sizes by target. */
export function buildImages() {
  return Object.fromEntries(
    ['producer', 'worker'].map((target) => {
      const tag = `embedmill-${target}`;
      // The network of the host, because a private registry or a proxy may be reachable only from there.
      const args = ['build', '--network', 'host', '-q', '-f', 'infra/Dockerfile', '--target', target];
      run('docker', ...args, '-t', tag, '.');
      const bytes = Number(run('docker', 'image', 'inspect', '-f', '{{.Size}}', tag));
      return [target, `${Math.round(bytes / 1e6)} MB`];
    }),
  );
}

/** Makes the environment file from the example if there is none. */
export function ensureEnvFile() {
  const path = `${ROOT}infra/embedmill.env`;
  if (!existsSync(path)) copyFileSync(`${path}.example`, path);
}

/** A request. @throws when it is not answered with 2xx */
export async function ask(url, init) {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(init?.method === 'POST' ? UPLOAD_MS : ANSWER_MS),
    ...init,
  });
  if (!response.ok)
    throw new Error(`${init?.method ?? 'GET'} ${url}: ${response.status} ${await response.text()}`);
  return response;
}

export const askJson = async (url, init) => (await ask(url, init)).json();

const post = (path, body, contentType = 'application/json') =>
  askJson(`${PRODUCER}${path}`, { method: 'POST', headers: { 'content-type': contentType }, body });

const SUBJECTS = [
  'The night train',
  'A quiet lake',
  'Our new printer',
  'This old recipe',
  'The last chapter',
];

/** Submits a sealed run of `count` different sentences; its id. */
export async function submitRun(count) {
  const { id } = await post('/v1/runs', JSON.stringify({ name: 'compose', batchRows: 63 }));
  const lines = Array.from({ length: count }, (_, i) =>
    JSON.stringify({
      id: `row-${i}`,
      text: `${SUBJECTS[i % 5]} was better than I had hoped, and I would choose the same again next year, number ${i}.`,
    }),
  );
  await post(`/v1/runs/${id}/rows?part=0`, `${lines.join('\n')}\n`, 'application/x-ndjson');
  await post(`/v1/runs/${id}/seal`, '{}');
  return id;
}

/** What became of a run that has ended: its state, and whether every row is there once. */
export async function resultOf(id) {
  const info = await askJson(`${PRODUCER}/v1/runs/${id}`);
  const ids = (await (await ask(`${PRODUCER}/v1/runs/${id}/ids`)).text()).trim().split('\n');
  const distinctIds = new Set(ids).size;
  return {
    state: info.state,
    verdicts: info.verdicts,
    ids: ids.length,
    distinctIds,
    seconds: Math.round((Date.parse(info.endedAt) - Date.parse(info.createdAt)) / 100) / 10,
    whole:
      info.state === 'completed' &&
      info.verdicts.ok === info.rows.accepted &&
      ids.length === info.rows.accepted &&
      distinctIds === ids.length,
  };
}

/**
 * Asks twice a second until `check` gives something; a failure of it counts as nothing. @throws after
 * `seconds`
 */
export async function until(what, seconds, check) {
  for (const deadline = performance.now() + seconds * 1000; ; await sleep(500)) {
    const found = await check().catch(() => false);
    if (found) return found;
    if (performance.now() > deadline) throw new Error(`waited ${seconds} s in vain for ${what}`);
  }
}

/**
 * Runs `work` between start and end of a stack, prints its report as JSON and exits with 1 when it is not
 * good.
 */
export async function withStack(report, work) {
  ensureEnvFile();
  // A request alone does not keep Node 20 alive, and a probe that is lost must not end this script without a
  // word.
  const alive = setInterval(() => {}, 1000);
  try {
    const isGood = await work();
    console.log(JSON.stringify({ ...report, good: isGood }, null, 2));
    if (!isGood) process.exitCode = 1;
  } catch (error) {
    console.log(JSON.stringify(report, null, 2));
    // A command's message holds all that it said; the end of it says why.
    console.error(error.message.slice(-4000));
    if (works('docker', 'ps')) console.error(compose('logs', '--tail', '20'));
    process.exitCode = 1;
  } finally {
    clearInterval(alive);
    compose('down', '-v', '-t', '5');
  }
}
