/** Workers load the models that runs ask for, from the producer, and say why when they cannot. */

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Health, RunInfo, RunModels } from '@embedmill/contract';
import { type Config, readConfig } from '@embedmill/core/process';
import { createLogger } from '@embedmill/core/telemetry';
import { Embedder, prepareModel } from '@embedmill/embed';
import { keepModel } from '@embedmill/embed/added-models';
import { type RunningProducer, startProducer } from '@embedmill/producer';
import { type RunningWorker, startWorker } from '@embedmill/worker';
import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../support/api.ts';
import { jsonLines } from '../support/embedmill.ts';
import { temporaryFolder } from '../support/folder.ts';
import { type EmbedJson, postEmbed } from '../support/lane.ts';
import { testRedis } from '../support/redis.ts';
import { smallBertFolder } from '../unit/embed/small-bert.ts';

const log = createLogger({ logLevel: 'silent' }, 'test');

const COLOURS = ['red', 'green blue', 'blue', 'red red green'];

/** Vectors of the first token instead of the mean: another model with the same weights. */
const SHAPES = {
  '1_Pooling/config.json': { word_embedding_dimension: 24, pooling_mode_cls_token: true },
};

/** A producer with the models `colours` and `shapes`, and what its workers need. */
async function startMill(): Promise<{
  producer: RunningProducer;
  ownCache: string;
  join: (settings?: Partial<Config>) => Promise<RunningWorker>;
}> {
  const { url: redisUrl, prefix } = testRedis();
  const ownCache = temporaryFolder();
  await keepModel(smallBertFolder(), 'colours', ownCache);
  await keepModel(smallBertFolder(SHAPES), 'shapes', ownCache);
  const shared = { redisUrl, prefix, dataDir: temporaryFolder(), port: 0, workerPort: 0, threads: 1 };
  const producer = await startProducer(
    { ...readConfig({ EMBEDMILL_MODEL: 'models/colours' }), ...shared, cacheDir: ownCache },
    { log },
  );
  onTestFinished(() => producer.stop());
  await until(async () => (await fetch(`${producer.url}/readyz`)).ok);
  const join_ = async (settings: Partial<Config> = {}) => {
    const cacheDir = temporaryFolder();
    const environment = {
      HF_ENDPOINT: `${producer.url}/hub`,
      HF_HOME: join(cacheDir, 'hf'),
      EMBEDMILL_MODEL: 'models/colours',
      EMBEDMILL_PULL: 'always',
    };
    const worker = await startWorker(
      { ...readConfig(environment), ...shared, cacheDir, ...settings },
      { log },
    );
    onTestFinished(() => worker.stop());
    return worker;
  };
  return { producer, ownCache, join: join_ };
}

function postRun(url: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${url}/v1/runs`, { method: 'POST', headers, body: JSON.stringify(body) });
}

/** Starts a run with these texts, many times over, in batches of 10 rows. */
async function startRun(url: string, model: string, texts: readonly string[]): Promise<string> {
  const created = await postRun(url, { model, batchRows: 10 });
  expect(created.status).toBe(201);
  const { id } = (await created.json()) as RunInfo;
  const rows = Array.from({ length: 200 }, (_, i) => ({ id: String(i), text: texts[i % texts.length]! }));
  const sent = await fetch(`${url}/v1/runs/${id}/rows?part=0`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: jsonLines(rows),
  });
  expect(sent.status).toBe(201);
  await fetch(`${url}/v1/runs/${id}/seal`, { method: 'POST' });
  return id;
}

const infoOf = async (url: string, id: string) =>
  (await (await fetch(`${url}/v1/runs/${id}`)).json()) as RunInfo;

/** Whether a worker has it, by model that runs may use. */
async function modelsOf(url: string): Promise<Record<string, boolean>> {
  const { models } = (await (await fetch(`${url}/v1/run-models`)).json()) as RunModels;
  return Object.fromEntries(models.map(({ name, isLoaded }) => [name, isLoaded]));
}

/** The vectors of a run, as rows of floats. */
async function vectorsOf(url: string, id: string): Promise<Float32Array> {
  const bytes = await (await fetch(`${url}/v1/runs/${id}/results?format=npy`)).arrayBuffer();
  const headerBytes = new DataView(bytes).getUint16(8, true);
  return new Float32Array(bytes.slice(10 + headerBytes));
}

/** The vectors of texts, computed in this process. */
async function vectorsAlone(model: string, cacheDir: string, texts: readonly string[]) {
  const embedder = await Embedder.open(await prepareModel({ model, precision: 'int8', cacheDir }));
  onTestFinished(() => embedder.close());
  const { dim, fingerprint } = embedder.model;
  const vectors = new Float32Array(texts.length * dim);
  for (const [row, text] of texts.entries()) await embedder.embed(text, vectors, row * dim);
  return { vectors, fingerprint };
}

describe('a worker that may load other models', () => {
  it('pulls the model of a run from the producer and serves both models at the same time', async () => {
    const { producer, ownCache, join } = await startMill();
    const worker = await join();
    // Until its first report, only its own model is known.
    const callShapes = async () => {
      const answer = await postEmbed(producer.url, { text: 'red', model: 'shapes' });
      return [answer.status, ((await answer.json()) as { code?: string }).code];
    };
    await expect.poll(callShapes).toEqual([503, 'model-loading']);

    expect(await modelsOf(producer.url)).toMatchObject({ colours: true, 'all-MiniLM-L6-v2': false });
    const runs = await Promise.all(
      ['colours', 'shapes'].map((model) => startRun(producer.url, model, COLOURS)),
    );
    for (const id of runs)
      await expect.poll(async () => (await infoOf(producer.url, id)).state).toBe('completed');
    for (const [i, model] of ['colours', 'shapes'].entries()) {
      const alone = await vectorsAlone(model, ownCache, COLOURS);
      const vectors = await vectorsOf(producer.url, runs[i]!);
      expect(vectors.subarray(0, alone.vectors.length)).toEqual(alone.vectors);
      // A worker takes batches of a model a moment before it takes calls.
      let answer = await postEmbed(producer.url, { text: 'green blue', model });
      await expect
        .poll(async () => {
          if (answer.status === 503) answer = await postEmbed(producer.url, { text: 'green blue', model });
          return answer.status;
        })
        .toBe(200);
      const { vectors: called } = (await answer.json()) as EmbedJson;
      expect(Float32Array.from(called[0] as number[])).toEqual(alone.vectors.slice(24, 48));
    }
    expect(await modelsOf(producer.url)).toMatchObject({ colours: true, shapes: true });
    const [first, second] = await Promise.all(runs.map((id) => infoOf(producer.url, id)));
    expect(first!.fingerprint).not.toBe(second!.fingerprint);
    const metrics = await (await fetch(`${worker.url}/metrics`)).text();
    expect(metrics).toMatch(/embedmill_model_info\{model="shapes",/);
    const refused = await postRun(producer.url, { model: 'nobody-has-it' });
    expect([refused.status, await refused.json()]).toMatchObject([422, { code: 'unknown-model' }]);
  });

  it('states why it cannot, and does the work for its own model all the same', async () => {
    const { producer, ownCache, join: start } = await startMill();
    writeFileSync(join(ownCache, 'models', 'shapes', 'model.safetensors'), 'not weights');
    await start();
    await until(async () => (await postEmbed(producer.url, { text: 'red' })).status === 200);
    const waiting = await startRun(producer.url, 'shapes', COLOURS);
    const done = await startRun(producer.url, 'colours', COLOURS);
    await expect.poll(async () => (await infoOf(producer.url, done)).state).toBe('completed');
    await expect
      .poll(async () => (await infoOf(producer.url, waiting)).waitsFor)
      .toMatch(
        /^it waits for a worker with the model "shapes"; a worker cannot load it: .*shapes was pulled but does not run/,
      );
    const health = (await (await fetch(`${producer.url}/v1/health`)).json()) as Health;
    expect(health.problems).toContainEqual(
      expect.objectContaining({ code: 'no-model', sentence: expect.stringContaining('cannot load it') }),
    );
    rmSync(join(ownCache, 'models', 'shapes'), { recursive: true });
  });
});

describe('a worker with EMBEDMILL_WORKER_MODELS=fixed', () => {
  it('loads no other model, so that a run for it is refused', async () => {
    const { producer, join } = await startMill();
    await join({ workerModels: 'fixed' });
    // Until its first report, runs are accepted and wait.
    await until(async () => (await postRun(producer.url, { model: 'shapes' })).status !== 201);
    const refused = await postRun(producer.url, { model: 'shapes' });
    expect([refused.status, await refused.json()]).toMatchObject([
      422,
      { code: 'unknown-model', models: ['colours'] },
    ]);
  });
});
