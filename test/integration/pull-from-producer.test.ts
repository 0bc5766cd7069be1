/** A worker pulls its model from the producer; prompts apply on all routes; a run for another model is refused. */

import { join } from 'node:path';
import { readConfig } from '@embedmill/core/process';
import { createLogger } from '@embedmill/core/telemetry';
import { keepModel, readRecord } from '@embedmill/embed/added-models';
import { startProducer } from '@embedmill/producer';
import { startWorker } from '@embedmill/worker';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../support/api.ts';
import { temporaryFolder } from '../support/folder.ts';
import type { EmbedJson } from '../support/lane.ts';
import { testRedis } from '../support/redis.ts';
import { smallBertFolder } from '../unit/embed/small-bert.ts';

const log = createLogger({ logLevel: 'silent' }, 'test');
const KEY = 'a-key-of-sixteen-characters';

it('a model that only the producer has', async () => {
  const { url: redisUrl, prefix } = testRedis();
  const [ownCache, otherCache] = [temporaryFolder(), temporaryFolder()];
  const prompts = { prompts: { query: 'red ', document: 'blue ' } };
  await keepModel(smallBertFolder({ 'config_sentence_transformers.json': prompts }), 'colours', ownCache);
  const shared = { redisUrl, prefix, dataDir: temporaryFolder(), port: 0, workerPort: 0, threads: 1 };
  const producer = await startProducer(
    {
      ...readConfig({ EMBEDMILL_API_KEYS: `all:admin:${KEY}`, EMBEDMILL_MODEL: 'models/colours' }),
      ...shared,
      cacheDir: ownCache,
    },
    { log },
  );
  onTestFinished(() => producer.stop());
  const worker = {
    ...readConfig({
      HF_ENDPOINT: `${producer.url}/hub`,
      HF_HOME: join(otherCache, 'hf'),
      EMBEDMILL_MODEL: 'models/colours',
    }),
    ...shared,
    cacheDir: otherCache,
  };
  await expect(startWorker(worker, { log })).rejects.toThrow(
    /^the model "models\/colours" is not installed, and no folder has this path; pull it with "embedmill model pull models\/colours"/,
  );
  const pulling = { ...worker, pull: 'always' as const };
  await expect(startWorker(pulling, { log })).rejects.toThrow(
    /has no model "models\/colours", or it is private/,
  );
  const started = await startWorker({ ...pulling, hubToken: KEY }, { log });
  onTestFinished(() => started.stop());
  expect(started.model).toBe('colours');
  expect(readRecord(join(otherCache, 'models', 'colours'))).toMatchObject({ pulledAs: 'models/colours' });

  const post = (path: string, body: unknown) =>
    fetch(`${producer.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
      body: JSON.stringify(body),
    });
  const native = async (options: object) => {
    const answer = await post('/v1/embed', { text: 'green', ...options });
    return ((await answer.json()) as EmbedJson).vectors?.[0];
  };
  await until(async () => (await post('/v1/embed', { text: 'green' })).status === 200);
  const [asDocument, asQuery, plain] = [
    await native({ prompt: 'blue ' }),
    await native({ prompt: 'red ' }),
    await native({ inputType: 'none' }),
  ];
  expect(new Set([asDocument, asQuery, plain].map((vector) => JSON.stringify(vector))).size).toBe(3);
  expect(await native({})).toEqual(asDocument);
  expect(await native({ inputType: 'query' })).toEqual(asQuery);

  const openAi = async (options: object) => {
    const answer = await post('/v1/embeddings', { model: 'models/colours', input: 'green', ...options });
    return ((await answer.json()) as { data: { embedding: number[] }[] }).data[0]?.embedding;
  };
  expect(await openAi({})).toEqual(plain);
  expect(await openAi({ input_type: 'search_query' })).toEqual(asQuery);
  expect(await openAi({ input_type: 'passage' })).toEqual(asDocument);
  const tei = async (options: object) =>
    ((await (await post('/embed', { inputs: 'green', ...options })).json()) as number[][])[0];
  expect(await tei({})).toEqual(plain);
  expect(await tei({ prompt_name: 'query' })).toEqual(asQuery);
  expect(await (await post('/embed', { inputs: 'green', prompt_name: 'title' })).json()).toMatchObject({
    error: expect.stringContaining('the prompt "title" is unknown; expected query, document or passage'),
  });

  // A repository and a short name mean the model that workers call by its last part.
  expect(await native({ model: 'acme/colours' })).toEqual(asDocument);
  // Before the first report of the worker is read, a run is accepted and waits.
  await until(async () => (await post('/v1/runs', { model: 'multilingual' })).status === 422);
  for (const [path, body] of [
    ['/v1/runs', { model: 'multilingual' }],
    ['/v1/embed', { model: 'multilingual', text: 'green' }],
  ] as const) {
    const answer = await post(path, body);
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({
      code: 'unknown-model',
      detail: expect.stringContaining('no worker has the model "multilingual-e5-small"; expected "colours"'),
    });
  }
});
