/** Idempotency-Key on POST /v1/runs: a client that got no response can safely repeat the request. */

import { EmbedmillClient } from '@embedmill/client';
import { UNTREATED } from '@embedmill/contract';
import { readConfig } from '@embedmill/core/process';
import { createLogger } from '@embedmill/core/telemetry';
import { KeyRing } from '@embedmill/producer';
import { describe, expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';
import { startCollecting } from '../support/collecting.ts';
import { temporaryFolder } from '../support/folder.ts';
import { testRedis } from '../support/redis.ts';

/** Creates a run with a key. */
const ask = (api: TestApi, key: string, body: object = {}, headers: Record<string, string> = {}) =>
  api.call('POST', '/v1/runs', {
    headers: { 'content-type': 'application/json', 'idempotency-key': key, ...headers },
    body: JSON.stringify(body),
  });

describe('a run that is created twice with one key', () => {
  it('is one run, also if both requests are concurrent', async () => {
    const api = await startApi();
    const answers = await Promise.all([ask(api, 'job-7', { name: 'a' }), ask(api, 'job-7', { name: 'a' })]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 201]);
    const [first, second] = await Promise.all(answers.map((answer) => answer.json()));
    expect(second.id).toBe(first.id);
    expect(answers[1]?.headers.get('location')).toBe(`/v1/runs/${first.id}`);
    const client = new EmbedmillClient({ url: api.url });
    expect((await client.createRun({ name: 'a' }, { idempotencyKey: 'job-7' })).id).toBe(first.id);
    expect(await client.listRuns()).toHaveLength(1);
  });

  it('must have the same options', async () => {
    const api = await startApi();
    const { id } = await (await ask(api, 'job-7', { precision: 'int8' })).json();
    const other = await ask(api, 'job-7', { precision: 'fp32' });
    expect(other.status).toBe(422);
    expect(await other.json()).toMatchObject({ code: 'key-reused', run: id });
  });

  it('is a new run once the first one is deleted', async () => {
    const api = await startApi();
    const { id } = await (await ask(api, 'job-7')).json();
    await api.call('DELETE', `/v1/runs/${id}`);
    const again = await ask(api, 'job-7');
    expect(again.status).toBe(201);
    expect((await again.json()).id).not.toBe(id);
  });

  it('is recognized after a restart', async () => {
    const redis = testRedis();
    const dataDir = temporaryFolder();
    const options = {
      name: null,
      model: 'm',
      precision: 'int8' as const,
      truncate: 'end' as const,
      batchRows: 20,
      batchTokens: 8192,
      ...UNTREATED,
    };
    const before = await startCollecting(redis, dataDir);
    const { run } = await before.runs.createOnce({ requestKey: 'job-7', options });
    await before.stop();
    const after = await startCollecting(redis, dataDir);
    const found = await after.runs.createOnce({ requestKey: 'job-7', options });
    expect([found.run.id, found.isNew]).toEqual([run.id, false]);
  });
});

describe('a key', () => {
  it('belongs to one caller', async () => {
    const config = readConfig({
      EMBEDMILL_API_KEYS: 'one:submit:the-key-of-the-first,two:submit:the-key-of-the-second',
    });
    const keys = KeyRing.open({ config, log: createLogger({ logLevel: 'silent' }, 'test') });
    const api = await startApi({ config, access: { keys } });
    const idFor = async (secret: string) =>
      (await (await ask(api, 'job-7', {}, { authorization: `Bearer ${secret}` })).json()).id;
    expect(await idFor('the-key-of-the-first')).not.toBe(await idFor('the-key-of-the-second'));
  });

  it.each(['two words', 'x'.repeat(201)])('is rejected if it is invalid: %j', async (key) => {
    const api = await startApi();
    const response = await ask(api, key);
    expect([response.status, (await response.json()).code]).toEqual([400, 'invalid-headers']);
  });
});
