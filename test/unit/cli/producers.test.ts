/** Several producers for one dataset: their addresses, agreement and parts. */

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { EmbedmillClient } from '@embedmill/client';
import { emptyVerdictCounts, type RunInfo } from '@embedmill/contract';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readServers } from '../../../apps/cli/src/engine/embedder/model-options.ts';
import { findProducers, memberOf } from '../../../apps/cli/src/engine/spread/addresses.ts';
import { combineRuns } from '../../../apps/cli/src/engine/spread/combine-runs.ts';
import { PartMap } from '../../../apps/cli/src/engine/spread/part-map.ts';
import { ProducerGroup } from '../../../apps/cli/src/engine/spread/producer-group.ts';
import { temporaryFolder } from '../../support/folder.ts';

describe('--server', () => {
  test('takes several URLs, without trailing slashes', () => {
    expect(readServers('http://a:8080/, http://b:8080')).toBe('http://a:8080,http://b:8080');
    expect(readServers(undefined)).toBeNull();
  });

  test.each([
    ['http://a:8080,http://a:8080/', '--server names "http://a:8080" twice'],
    ['http://A:80,http://a', '--server names "http://a" twice'],
    ['http://a:8080,', '--server "" is not an http or https URL'],
    ['http://a:8080,b', '--server "b" is not an http or https URL'],
  ])('rejects %s', (servers, message) => {
    expect(() => readServers(servers)).toThrow(message);
  });

  test('a name with several addresses is several producers, an address or another name is one', async () => {
    const lookUp = async (host: string) => (host === 'mill' ? ['10.0.0.1', '10.0.0.2'] : ['10.0.0.9']);
    expect(await findProducers('http://mill:8080,http://other,http://[::1]:1', lookUp)).toEqual([
      { url: 'http://mill:8080', address: '10.0.0.1' },
      { url: 'http://mill:8080', address: '10.0.0.2' },
      { url: 'http://other', address: null },
      { url: 'http://[::1]:1', address: null },
    ]);
    const many = Array.from({ length: 256 }, (_, n) => `10.0.0.${n}`);
    await expect(findProducers('http://mill', async () => many)).rejects.toThrow('names 256 producers');
  });

  test('a producer of a name is reached at its address, under the name', async () => {
    const { url } = await serve((request, response) =>
      response.end(JSON.stringify({ version: request.headers.host })),
    );
    const { port } = new URL(url);
    const { signal } = new AbortController();
    const named = { url: `http://mill.invalid:${port}`, address: '127.0.0.1' };
    const { server, client } = await memberOf(named, { apiKey: undefined, signal });
    expect(server).toBe(url);
    expect(await client.getVersion()).toBe(`mill.invalid:${port}`);
  });
});

/** Starts a server. */
async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ url: string }> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const runInfo = (changes: Partial<RunInfo> = {}): RunInfo =>
  ({
    id: 'r1',
    state: 'sealed',
    options: { model: 'm', precision: 'int8' },
    createdAt: '2026-01-01T00:00:00.000Z',
    sealedAt: '2026-01-01T00:00:01.000Z',
    endedAt: null,
    error: null,
    waitsFor: null,
    parts: 1,
    rows: { accepted: 10, rejected: 0, done: 4 },
    batches: { total: 2, done: 1, stored: 1 },
    verdicts: { ...emptyVerdictCounts(), ok: 3, empty: 1 },
    tokens: 100,
    lostTokens: 1,
    specialTokens: 0,
    unknownTokens: 0,
    unknownScript: null,
    languageSignal: null,
    chunkedRows: 0,
    replacements: 2,
    rowsPerSecond: 5,
    tokensPerSecond: 50,
    etaSeconds: 2,
    dim: null,
    fingerprint: null,
    ...changes,
  }) as RunInfo;

const combine = (...infos: Partial<RunInfo>[]) =>
  combineRuns(infos.map((info, n) => ({ server: `http://${'ab'[n]}`, info: runInfo(info) })));

describe('combined runs', () => {
  test('have the sums of their counts and the model of each', () => {
    const other = { id: 'r2', tokens: 900, unknownTokens: 500, unknownScript: 'Thai', etaSeconds: 7, dim: 8 };
    expect(combine({}, { ...other, fingerprint: 'f' })).toMatchObject({
      id: 'r1,r2',
      state: 'sealed',
      parts: 2,
      rows: { accepted: 20, rejected: 0, done: 8 },
      batches: { total: 4, done: 2, stored: 2 },
      verdicts: { ok: 6, empty: 2, failed: 0 },
      tokens: 1_000,
      replacements: 4,
      rowsPerSecond: 10,
      etaSeconds: 7,
      dim: 8,
      fingerprint: 'f',
      unknownScript: 'Thai',
      languageSignal: expect.stringContaining('50 % of the tokens'),
    });
  });

  const ended = { state: 'completed', endedAt: '2026-01-01T00:00:09.000Z', etaSeconds: null } as const;

  test('are completed when all are; until then the rate is that of the others', () => {
    expect(combine(ended, {})).toMatchObject({
      state: 'sealed',
      endedAt: null,
      etaSeconds: 2,
      rowsPerSecond: 5,
    });
    expect(combine(ended, ended)).toMatchObject({
      state: 'completed',
      endedAt: ended.endedAt,
      rowsPerSecond: 10,
    });
    expect(combine({ state: 'open' }, {})).toMatchObject({ state: 'open' });
    expect(combine({}, { etaSeconds: null })).toMatchObject({ etaSeconds: null });
  });

  test('fail with the reason and the producer of the one that fails', () => {
    expect(combine(ended, { state: 'failed', error: 'a file is damaged' })).toMatchObject({
      state: 'failed',
      error: 'http://b: a file is damaged',
    });
  });

  test('are refused with both values if they differ in model or fingerprint', () => {
    const options = { ...runInfo().options, model: 'n' };
    expect(() => combine({}, { options })).toThrow('the model of http://a is m, that of http://b is n');
    expect(() => combine({ fingerprint: 'f' }, { fingerprint: 'g' })).toThrow(
      'the fingerprint of http://a is f, that of http://b is g',
    );
    expect(combine({ fingerprint: 'f' }, { fingerprint: null }).fingerprint).toBe('f');
  });
});

describe('the part map', () => {
  test('is there for the next attempt', async () => {
    const path = join(temporaryFolder(), 'parts');
    const map = await PartMap.create(path);
    for (const [n, producer] of [0, 1, 1, 0].entries()) await map.assign(n + 1, producer);
    const again = await PartMap.read(path);
    expect([1, 2, 3, 4, 5].map((part) => again.producerOf(part))).toEqual([0, 1, 1, 0, undefined]);
    expect(() => again.confirm(2, 1)).not.toThrow();
    await again.assign(5, 1);
    expect((await PartMap.create(path)).producerOf(1)).toBeUndefined();
  });

  test('reports a part at another producer', async () => {
    const path = join(temporaryFolder(), 'parts');
    writeFileSync(path, Buffer.of(0, 1));
    const map = await PartMap.read(path);
    expect(() => map.confirm(2, 0)).toThrow('does not say that producer 1 has part 2');
    await expect(map.assign(2, 0)).rejects.toThrow('part 2 is assigned after part 2');
  });
});

/** What a producer of a test answers. */
interface Answers {
  version?: string;
  workers?: {
    model: string;
    fingerprint: string;
    otherModels?: { name: string; fingerprint: string }[];
  }[];
  model?: string;
  refusal?: { status: number; detail: string };
}

/** Starts servers that answer as producers do, and creates runs on them; returns the error and what was deleted. */
async function createRuns(
  ...answers: Answers[]
): Promise<{ error: Error; urls: string[]; deleted: string[] }> {
  const deleted: string[] = [];
  const { signal } = new AbortController();
  const members = await Promise.all(
    answers.map(async ({ version = '0.2.0', workers = [], model = 'm', refusal }, n) => {
      const { url } = await serve(({ method, url: path }, response) => {
        const send = (status: number, body: unknown) =>
          response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
        if (path === '/healthz') return send(200, { version });
        if (path === '/v1/overview') return send(200, { workers });
        if (method === 'DELETE') {
          deleted.push(path ?? '');
          return response.writeHead(204).end();
        }
        if (refusal !== undefined) return send(refusal.status, refusal);
        return send(201, runInfo({ id: `r${n + 1}`, options: { ...runInfo().options, model } }));
      });
      return { server: url, client: new EmbedmillClient({ url, signal }) };
    }),
  );
  const partMapPath = join(temporaryFolder(), 'parts');
  const group = new ProducerGroup({ members, partMapPath, onWait: () => {}, signal });
  const error = await group.createRun({}, 'one run').then(
    () => new Error('not refused'),
    (reason) => reason,
  );
  return { error, urls: members.map(({ server }) => server), deleted };
}

describe('at the start, producers are refused', () => {
  test('if one of them refuses the run, which the error names', async () => {
    const refusal = { status: 401, detail: 'this producer requires an API key' };
    const { error, urls, deleted } = await createRuns({}, { refusal });
    expect(error.message).toBe(
      `${urls[1]} refused the run: this producer requires an API key (401); ${urls[0]} accepted it. ` +
        'EMBEDMILL_API_KEY is sent to all of them',
    );
    expect(deleted).toEqual(['/v1/runs/r1']);
  });

  test('if their versions differ', async () => {
    const { error, urls, deleted } = await createRuns({}, { version: '0.1.0' });
    expect(error.message).toContain(`the version of ${urls[0]} is 0.2.0, that of ${urls[1]} is 0.1.0`);
    expect(deleted).toEqual([]);
  });

  test('if their models differ', async () => {
    const { error, urls, deleted } = await createRuns({}, { model: 'n' });
    expect(error.message).toContain(`the model of ${urls[0]} is m, that of ${urls[1]} is n`);
    expect(deleted).toEqual(['/v1/runs/r1', '/v1/runs/r2']);
  });

  test('if their workers have no fingerprint of the model in common', async () => {
    const [one, two, other] = ['f', 'g', 'h'].map((fingerprint) => ({ model: 'm', fingerprint }));
    const { error, urls } = await createRuns({ workers: [one!, two!] }, {}, { workers: [other!] });
    expect(error.message).toContain(
      `the fingerprint of m on the workers of ${urls[0]} is f, g, that of ${urls[2]} is h`,
    );
    const same = await createRuns({ workers: [one!, two!] }, { workers: [two!] });
    expect(same.error.message).toBe('not refused');
    const second = { model: 'n', fingerprint: 'x', otherModels: [{ name: 'm', fingerprint: 'h' }] };
    const loaded = await createRuns({ workers: [one!] }, { workers: [second] });
    expect(loaded.error.message).toContain(`is f, that of ${loaded.urls[1]} is h`);
  });
});
