/** Workers with different engines and kernels are killed again and again: a run has the vectors of one engine. */

import { setTimeout as sleep } from 'node:timers/promises';
import { availableKernels, Embedder, prepareModel } from '@embedmill/embed';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startCollecting, vectorBytes, whenEnded } from '../../support/collecting.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { type MillPlace, REAL_WORKER, spawnWorker } from '../../support/mill.ts';
import { cacheDir, testRedis } from '../../support/redis.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { AWKWARD_TEXTS, longText, PLAIN_TEXTS } from '../../support/texts.ts';

const SEED = 7;

const texts = Array.from({ length: 2500 }, (_, i) =>
  i % 50 === 0 ? longText(20 + (i % 300)) : `${[...PLAIN_TEXTS, ...AWKWARD_TEXTS][i % 14]} (${i})`,
);

/** Keeps a worker process alive until `stop`, killing it every few seconds. */
function startMortalWorker(place: MillPlace, env: Record<string, string>, random: () => number) {
  let isOver = false;
  let kills = 0;
  const live = async () => {
    while (!isOver) {
      const worker = spawnWorker(REAL_WORKER, place, env);
      await Promise.race([worker.waitFor(/worker is ready/), worker.exited]);
      await Promise.race([sleep(1000 + 5000 * random()), worker.exited]);
      worker.kill('SIGKILL');
      await worker.exited;
      kills += 1;
    }
  };
  const ended = live();
  return {
    kills: () => kills,
    stop: async () => {
      isOver = true;
      await ended;
    },
  };
}

/** The vectors of all texts by fingerprint, each text computed alone in this process. */
async function expectedVectors(): Promise<Record<string, Buffer>> {
  const expected: Record<string, Buffer> = {};
  for (const engine of ['exact', 'onnx'] as const) {
    const model = await prepareModel({ precision: 'int8', engine, cacheDir });
    const embedder = await Embedder.open(model);
    const vectors = new Float32Array(texts.length * model.dim);
    for (const [row, text] of texts.entries()) await embedder.embed(text, vectors, row * model.dim);
    await embedder.close();
    expected[model.fingerprint] = Buffer.from(vectors.buffer);
  }
  return expected;
}

describe.runIf(availableKernels().length > 0)('a fleet of different engines under kills', () => {
  it('ends with every row once, all by the engine that began the run', async () => {
    const redis = testRedis();
    const random = seededRandom(SEED);
    const { submit } = await startCollecting(redis, temporaryFolder());
    const slowest = availableKernels().at(-2) ?? 'scalar';
    const workers = [
      startMortalWorker(redis, { EMBEDMILL_ENGINE: 'exact' }, random),
      startMortalWorker(redis, { EMBEDMILL_ENGINE: 'exact', EMBEDMILL_KERNEL: slowest }, random),
      startMortalWorker(redis, { EMBEDMILL_ENGINE: 'onnx' }, random),
    ];
    onTestFinished(async () => {
      await Promise.all(workers.map((worker) => worker.stop()));
    });
    const run = await submit(texts);
    await whenEnded(run, 280_000);
    expect(run.info()).toMatchObject({ state: 'completed', verdicts: { failed: 0, empty: 0 } });
    const kills = workers.map((worker) => worker.kills());
    expect(Math.min(...kills)).toBeGreaterThan(0);
    const expected = (await expectedVectors())[run.info().fingerprint!];
    expect((await vectorBytes(run)).equals(expected!)).toBe(true);
  });
});
