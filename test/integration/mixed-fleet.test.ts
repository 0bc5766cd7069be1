/** Workers of one fleet with different kernels and engines, as on different CPUs. */

import type { EngineChoice } from '@embedmill/contract';
import { type Config, readConfig } from '@embedmill/core/process';
import { FleetModels, keysOf } from '@embedmill/core/redis';
import { createLogger } from '@embedmill/core/telemetry';
import { availableKernels, Embedder, prepareModel } from '@embedmill/embed';
import { type RunningWorker, startWorker } from '@embedmill/worker';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startCollecting, vectorBytes, whenEnded } from '../support/collecting.ts';
import { temporaryFolder } from '../support/folder.ts';
import { laneClientForAll, laneForAll } from '../support/lane.ts';
import { cacheDir, type TestRedis, testRedis } from '../support/redis.ts';
import { AWKWARD_TEXTS, EMPTY_TEXTS, longText, PLAIN_TEXTS } from '../support/texts.ts';

const log = createLogger({ logLevel: 'silent' }, 'test');
const isBuilt = availableKernels().length > 0;

/** Starts a worker with an engine and a kernel on one thread; it stops after the test. */
async function join(
  { url, prefix }: Pick<TestRedis, 'url' | 'prefix'>,
  settings: Partial<Pick<Config, 'engine' | 'kernel'>>,
): Promise<RunningWorker> {
  const own = { redisUrl: url, prefix, workerPort: 0, threads: 1, lockMs: 2000, cacheBytes: 0 };
  const worker = await startWorker({ ...readConfig({}), ...own, ...settings }, { log });
  onTestFinished(() => worker.stop());
  return worker;
}

const TEXTS = [
  ...AWKWARD_TEXTS,
  ...EMPTY_TEXTS,
  longText(60),
  longText(400),
  ...Array.from({ length: 60 }, (_, i) => `${PLAIN_TEXTS[i % PLAIN_TEXTS.length]} (${i})`),
];

const alone = new Map<EngineChoice, Promise<Buffer>>();

/** The vectors of all texts, each computed alone in this process, once per engine. */
function vectorsAlone(engine: EngineChoice): Promise<Buffer> {
  const known = alone.get(engine) ?? computeAlone(engine);
  alone.set(engine, known);
  return known;
}

async function computeAlone(engine: EngineChoice): Promise<Buffer> {
  const embedder = await Embedder.open(await prepareModel({ precision: 'int8', engine, cacheDir }));
  const { dim } = embedder.model;
  const vectors = new Float32Array(TEXTS.length * dim);
  for (const [row, text] of TEXTS.entries()) await embedder.embed(text, vectors, row * dim);
  await embedder.close();
  return Buffer.from(vectors.buffer);
}

/** Batches that a worker has committed and handed back. */
async function batchesOf({ url }: RunningWorker): Promise<{ committed: number; handedBack: number }> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const count = (outcome: string) =>
    Number(new RegExp(`^embedmill_batches_total\\{outcome="${outcome}"\\} (\\d+)`, 'm').exec(metrics)?.[1]);
  return { committed: count('committed'), handedBack: count('handed-back') };
}

describe.runIf(isBuilt)('a bulk run', () => {
  it('has the same bytes from workers with different kernels of the exact engine', async () => {
    const redis = testRedis();
    const { submit } = await startCollecting(redis, temporaryFolder());
    const kernels = [...new Set([availableKernels()[0]!, 'avx2', 'scalar'])].filter((kernel) =>
      availableKernels().includes(kernel),
    );
    const workers: RunningWorker[] = [];
    for (const kernel of kernels) workers.push(await join(redis, { engine: 'exact', kernel }));
    expect(new Set(workers.map(({ fingerprint }) => fingerprint)).size).toBe(1);
    const run = await submit(TEXTS, { batchRows: 5 });
    await whenEnded(run);
    expect((await vectorBytes(run)).equals(await vectorsAlone('exact'))).toBe(true);
    const shares = await Promise.all(workers.map(batchesOf));
    expect(shares.every(({ committed }) => committed > 0)).toBe(true);
    expect(shares.map(({ handedBack }) => handedBack)).toEqual(shares.map(() => 0));
  });

  it.each([
    ['exact', 'onnx'],
    ['onnx', 'exact'],
  ] as const)('that the engine %s began has no vector of the engine %s', async (first, second) => {
    const redis = testRedis();
    const { submit, runs } = await startCollecting(redis, temporaryFolder());
    const fleet = new FleetModels({ redis: redis.client, keys: keysOf(redis.prefix) });
    const own = await join(redis, { engine: first });
    const begun = await submit(TEXTS.slice(0, 20), { seal: false });
    await expect.poll(() => begun.info().batches.done, { timeout: 20_000 }).toBe(1);
    const other = await join(redis, { engine: second });
    await begun.addPart({ part: 1, rows: rowsFrom(20), sha256: () => 'rest' });
    await begun.seal();
    await whenEnded(begun);
    expect((await vectorBytes(begun)).equals(await vectorsAlone(first))).toBe(true);
    expect(begun.info().fingerprint).toBe(own.fingerprint);
    expect((await batchesOf(other)).committed).toBe(0);
    expect(fleet.missingFor({ model: own.model, fingerprint: own.fingerprint })).toBeNull();
    expect(runs.active()).toEqual([]);
  });

  it('says which fingerprint it waits for when no worker has it', async () => {
    const redis = testRedis();
    const fleet = new FleetModels({ redis: redis.client, keys: keysOf(redis.prefix) });
    const { model, fingerprint } = await join(redis, { engine: 'onnx' });
    const wanted = { model, fingerprint: '0123456789abcdef' };
    await expect
      .poll(() => fleet.missingFor(wanted))
      .toBe(
        `it has vectors of the model "${model}" with the fingerprint 0123456789abcdef and waits for a worker with it; ` +
          `connected workers have ${fingerprint} (onnx)`,
      );
    expect(fleet.missingFor({ model, fingerprint })).toBeNull();
    expect(fleet.missingFor({ model })).toBeNull();
  });
});

describe.runIf(isBuilt)('an interactive call', () => {
  const lane = laneForAll({ engine: 'exact', threads: 1 });
  const client = laneClientForAll(lane);

  it('of many texts is answered by workers of one fingerprint', async () => {
    const { redisUrl: url = '', prefix } = lane.config;
    const other = await join({ url, prefix }, { engine: 'onnx' });
    const expected = {
      [lane.worker.fingerprint]: await vectorsAlone('exact'),
      [other.fingerprint]: await vectorsAlone('onnx'),
    };
    for (let call = 0; call < 4; call++) {
      const { fingerprint, vectors } = await client().embed(TEXTS, { precision: 'int8', truncate: 'end' });
      const bytes = Buffer.from(vectors.buffer, vectors.byteOffset, vectors.byteLength);
      expect(bytes.equals(expected[fingerprint]!)).toBe(true);
    }
  });
});

/** Texts from `row` on as the rows of a part, without ids. */
async function* rowsFrom(row: number) {
  yield TEXTS.slice(row).map((text, i) => ({ ok: true, line: row + i + 1, id: null, text }) as const);
}
