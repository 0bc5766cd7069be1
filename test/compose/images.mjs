/**
 * Builds the images from the checkout and uses them: `node test/compose/images.mjs [rows]`.
 *
 * Runs producer and worker by compose.yaml, and the image with all in one by `docker run`, each with a read-only root and
 * without capabilities, and embeds the same rows. Prints a report as JSON and exits with 1 unless an image is small
 * enough, healthy, without root, ends on SIGTERM, keeps its data, and both ways give the same bytes. Skipped with a
 * message if no Docker engine responds.
 */

import { createHash } from 'node:crypto';
import { IMAGES } from '../../scripts/release/images.mjs';
import {
  buildImages,
  compose,
  freePort,
  PRODUCER,
  request,
  requestJson,
  resultOf,
  run,
  skipWithoutDocker,
  submitRun,
  until,
  withStack,
} from './stack.mjs';

const ROWS = Number(process.argv[2] ?? 500);
/** What an image may add to its base. */
const MAXIMUM_MB = 250;
const READY_TIMEOUT_S = 120;
const RUN_TIMEOUT_S = 300;
/** Docker kills a container 10 s after SIGTERM. */
const STOP_TIMEOUT_S = 10;
const CONTAINER = 'embedmill-test-all-in-one';
const VOLUME = 'embedmill-test-data';

skipWithoutDocker();
const report = { rows: ROWS, images: {}, users: {}, readySeconds: {}, stops: {}, runs: {} };

await withStack(report, async () => {
  report.images = buildImages(Object.keys(IMAGES));
  for (const image of Object.values(IMAGES))
    report.users[image] = run('docker', 'run', '--rm', '--entrypoint', 'id', image, '-un');
  const split = await useStack();
  const single = await useAllInOne();
  report.sameBytes = split === single;
  return (
    Object.values(report.images).every(({ beyondBase }) => beyondBase < MAXIMUM_MB) &&
    Object.values(report.users).every((user) => user === 'node') &&
    Object.values(report.stops).every(({ code, seconds }) => code === 0 && seconds < STOP_TIMEOUT_S) &&
    Object.values(report.runs).every(({ whole }) => whole) &&
    report.greeting &&
    report.sameBytes
  );
});

/** Embeds the rows with Redis, producer and worker of compose.yaml; returns the digest of the vectors. */
async function useStack() {
  const startedAt = performance.now();
  compose('up', '-d', '--no-build', 'redis', 'producer', 'worker');
  const [producer, worker] = ['producer', 'worker'].map((service) => compose('ps', '-q', service));
  await untilHealthy('producer', producer, startedAt);
  await untilHealthy('worker', worker, startedAt);
  const digest = await embed('compose', PRODUCER);
  stop('worker', worker);
  stop('producer', producer);
  return digest;
}

/** Embeds the rows with one container, and finds them in the next one with the same volume; returns the digest. */
async function useAllInOne() {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const start = async (name, ...options) => {
    const startedAt = performance.now();
    run(
      'docker',
      ...['run', '--detach', '--name', CONTAINER, '--read-only', '--tmpfs', '/tmp', '--cap-drop', 'ALL'],
      ...['--security-opt', 'no-new-privileges', '--publish', `127.0.0.1:${port}:8080`],
      ...['--volume', `${VOLUME}:/var/lib/embedmill`, ...options, IMAGES.embedmill, 'up'],
    );
    await untilHealthy(name, CONTAINER, startedAt);
  };
  try {
    await start('embedmill');
    const digest = await embed('embedmill', url);
    report.greeting = run('sh', '-c', `docker logs ${CONTAINER} 2>&1`).includes('http://localhost:8080/');
    const { runs } = await requestJson(`${url}/v1/runs`);
    stop('embedmill', CONTAINER);
    run('docker', 'rm', CONTAINER);
    await start('embedmill, new container');
    report.runs.kept = await resultOf(runs[0].id, url);
    return digest;
  } finally {
    run('docker', 'rm', '--force', CONTAINER);
    run('docker', 'volume', 'rm', '--force', VOLUME);
  }
}

/** Submits the rows, waits for their end, and returns the SHA-256 of the vectors. */
async function embed(name, url) {
  const id = await submitRun(ROWS, url);
  await until(`the run on ${name}`, RUN_TIMEOUT_S, async () => {
    const { state } = await requestJson(`${url}/v1/runs/${id}`);
    return state === 'completed' || state === 'failed';
  });
  report.runs[name] = await resultOf(id, url);
  const vectors = await (await request(`${url}/v1/runs/${id}/results?format=npy`)).arrayBuffer();
  return createHash('sha256').update(Buffer.from(vectors)).digest('hex');
}

async function untilHealthy(name, container, startedAt) {
  await until(
    `${name} healthy`,
    READY_TIMEOUT_S,
    async () => run('docker', 'inspect', '-f', '{{.State.Health.Status}}', container) === 'healthy',
  );
  report.readySeconds[name] = Math.round((performance.now() - startedAt) / 100) / 10;
}

function stop(name, container) {
  const startedAt = performance.now();
  run('docker', 'stop', container);
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
  report.stops[name] = {
    code: Number(run('docker', 'inspect', '-f', '{{.State.ExitCode}}', container)),
    seconds,
  };
}
