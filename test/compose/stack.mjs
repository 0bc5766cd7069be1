/** The compose stack on free ports, with half a core per worker: starting, requests, runs and removal. */

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { IMAGES } from '../../scripts/release/images.mjs';

/** Absolute path of the checkout, with a slash at the end. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const PROJECT = 'embedmill-test';
/** Timeout of an upload, which waits only while Redis is full. */
const UPLOAD_TIMEOUT_MS = 60_000;
/**
 * Timeout of any other request: the proxy of Docker may accept a connection before the container listens, and
 * then never respond.
 */
const REQUEST_TIMEOUT_MS = 5000;

/** A free TCP port. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return String(port);
}

const producerPort = await freePort();
const prometheusPort = await freePort();
/** Base URL of the producer. */
export const PRODUCER = `http://127.0.0.1:${producerPort}`;

/** Base URL of Prometheus. */
export const PROMETHEUS = `http://127.0.0.1:${prometheusPort}`;

/** Environment of all commands for this Compose project. */
export const env = {
  ...process.env,
  COMPOSE_PROJECT_NAME: PROJECT,
  EMBEDMILL_PRODUCER_PORT: producerPort,
  EMBEDMILL_PROMETHEUS_PORT: prometheusPort,
  // Half a core each, so that three workers are faster than one on a machine with two cores.
  EMBEDMILL_WORKER_CPUS: '0.5',
  EMBEDMILL_PRODUCER_CPUS: '0.5',
  // The legacy builder is sufficient, and the Docker package of Debian always has it.
  DOCKER_BUILDKIT: '0',
};

/** Runs a command in the checkout and returns its output. @throws {Error} with its output if it fails */
export const run = (command, ...args) =>
  execFileSync(command, args, { cwd: ROOT, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();

const works = (command, ...args) => {
  try {
    return run(command, ...args) !== '';
  } catch {
    return false;
  }
};

/** Ends the process with a message if no Docker engine responds. */
export function skipWithoutDocker() {
  if (works('docker', 'info', '-f', '{{.ServerVersion}}')) return;
  console.log('SKIPPED: no Docker engine responds (`docker info`), so the compose stack was not run');
  process.exit(0);
}

/** Runs a Compose command with `docker compose`, or else `docker-compose`. */
export function compose(...args) {
  return works('docker', 'compose', 'version')
    ? run('docker', 'compose', ...args)
    : run('docker-compose', ...args);
}

/** Ids of the running worker containers. */
export const runningWorkers = () =>
  run('docker', 'ps', '-q', '--filter', `name=${PROJECT}.worker`).split('\n').filter(Boolean);

/**
 * Builds images from the checkout and returns their sizes by target, with what they add to their base.
 * @param {readonly string[]} targets of infra/Dockerfile
 */
export function buildImages(targets = ['producer', 'worker']) {
  const megabytes = (image) =>
    Math.round(Number(run('docker', 'image', 'inspect', '-f', '{{.Size}}', image)) / 1e6);
  return Object.fromEntries(
    targets.map((target) => {
      const tag = IMAGES[target];
      // The host network, because a private registry or a proxy may be reachable only from there.
      const args = ['build', '--network', 'host', '-q', '-f', 'infra/Dockerfile', '--target', target];
      run('docker', ...args, '-t', tag, '.');
      const base = run(
        'docker',
        ...['image', 'inspect', '-f', '{{index .Config.Labels "org.opencontainers.image.base.name"}}', tag],
      );
      const total = megabytes(tag);
      return [target, { megabytes: total, beyondBase: total - megabytes(base) }];
    }),
  );
}

/** Copies the example environment file if there is none. */
export function ensureEnvFile() {
  const path = `${ROOT}infra/embedmill.env`;
  if (!existsSync(path)) copyFileSync(`${path}.example`, path);
}

/** Sends a request. @throws {Error} if the status is not 2xx */
export async function request(url, init) {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(init?.method === 'POST' ? UPLOAD_TIMEOUT_MS : REQUEST_TIMEOUT_MS),
    ...init,
  });
  if (!response.ok)
    throw new Error(`${init?.method ?? 'GET'} ${url}: ${response.status} ${await response.text()}`);
  return response;
}

/** Sends a request and returns the JSON of the response. Throws like `request`. */
export const requestJson = async (url, init) => (await request(url, init)).json();

const post = (url, body, contentType = 'application/json') =>
  requestJson(url, { method: 'POST', headers: { 'content-type': contentType }, body });

const SUBJECTS = [
  'The night train',
  'A quiet lake',
  'Our new printer',
  'This old recipe',
  'The last chapter',
];

/** Creates and seals a run of `count` different sentences; returns its id. */
export async function submitRun(count, producer = PRODUCER) {
  const { id } = await post(`${producer}/v1/runs`, JSON.stringify({ name: 'compose', batchRows: 63 }));
  const lines = Array.from({ length: count }, (_, i) =>
    JSON.stringify({
      id: `row-${i}`,
      text: `${SUBJECTS[i % 5]} was better than I had hoped, and I would choose the same again next year, number ${i}.`,
    }),
  );
  await post(`${producer}/v1/runs/${id}/rows?part=0`, `${lines.join('\n')}\n`, 'application/x-ndjson');
  await post(`${producer}/v1/runs/${id}/seal`, '{}');
  return id;
}

/** Result of a run that has ended: its state, and whether each row is present exactly once. */
export async function resultOf(id, producer = PRODUCER) {
  const info = await requestJson(`${producer}/v1/runs/${id}`);
  const ids = (await (await request(`${producer}/v1/runs/${id}/ids`)).text()).trim().split('\n');
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
 * Calls `check` twice a second until it returns a truthy value, and returns that; an error counts as false.
 * @throws {Error} after `seconds`
 */
export async function until(what, seconds, check) {
  for (const deadline = performance.now() + seconds * 1000; ; await sleep(500)) {
    const found = await check().catch(() => false);
    if (found) return found;
    if (performance.now() > deadline) throw new Error(`${what}: not there after ${seconds} s`);
  }
}

/**
 * Runs `work`, prints the report as JSON, removes the stack, and exits with 1 unless `work` returned true.
 */
export async function withStack(report, work) {
  ensureEnvFile();
  // A pending request alone does not keep Node 20 alive, and a lost probe must not end this script silently.
  const alive = setInterval(() => {}, 1000);
  try {
    const isGood = await work();
    console.log(JSON.stringify({ ...report, good: isGood }, null, 2));
    if (!isGood) process.exitCode = 1;
  } catch (error) {
    console.log(JSON.stringify(report, null, 2));
    // The message of a failed command contains all its output; the reason is at the end.
    console.error(error.message.slice(-4000));
    if (works('docker', 'ps')) console.error(compose('logs', '--tail', '20'));
    process.exitCode = 1;
  } finally {
    clearInterval(alive);
    compose('down', '-v', '-t', '5');
  }
}
