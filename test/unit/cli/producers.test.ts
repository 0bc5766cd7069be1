/** Several producers for one dataset: their addresses, agreement, parts, and the merge of their results. */

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { EmbedmillClient, PassingFault } from '@embedmill/client';
import { emptyVerdictCounts, type RowRead, type RunInfo, type VectorRows } from '@embedmill/contract';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readServers } from '../../../apps/cli/src/engine/embedder/model-options.ts';
import { withIds } from '../../../apps/cli/src/engine/run/encode-parts.ts';
import { findProducers, memberOf } from '../../../apps/cli/src/engine/spread/addresses.ts';
import { combineRuns } from '../../../apps/cli/src/engine/spread/combine-runs.ts';
import { mergeReports, mergeRows } from '../../../apps/cli/src/engine/spread/merge-results.ts';
import { PartMap } from '../../../apps/cli/src/engine/spread/part-map.ts';
import { ProducerGroup } from '../../../apps/cli/src/engine/spread/producer-group.ts';
import { temporaryFolder } from '../../support/folder.ts';

async function collect<Value>(source: AsyncIterable<Value>): Promise<Value[]> {
  const all: Value[] = [];
  for await (const value of source) all.push(value);
  return all;
}

describe('--server', () => {
  test('takes several URLs, without trailing slashes', () => {
    expect(readServers('http://a:8080/, http://b:8080')).toBe('http://a:8080,http://b:8080');
    expect(readServers(undefined)).toBeNull();
  });

  test.each([
    ['http://a:8080,http://a:8080/', '--server names "http://a:8080" twice'],
    ['http://A:80,http://a', '--server names "http://a" twice'],
    ['http://a:8080,', '--server "" is not a URL'],
    ['http://a:8080,b', '--server "b" is not a URL'],
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
    again.setRows(2, 1, 30);
    expect([...again.parts()][1]).toEqual({ number: 2, producer: 1, rows: 30 });
    await again.assign(5, 1);
    expect([...(await PartMap.create(path)).parts()]).toEqual([]);
  });

  test('reports a part at another producer', async () => {
    const path = join(temporaryFolder(), 'parts');
    writeFileSync(path, Buffer.of(0, 1));
    const map = await PartMap.read(path);
    expect(() => map.setRows(2, 0, 1)).toThrow('does not say that producer 1 has part 2');
    await expect(map.assign(2, 0)).rejects.toThrow('part 2 is assigned after part 2');
  });
});

/** Rows whose vectors hold their number; every fifth has none. */
const rowsFrom = (numbers: readonly number[]): VectorRows => ({
  ids: numbers.map(String),
  dim: 2,
  vectors: Float32Array.from(numbers.flatMap((number) => [number, -number])),
  present: Uint8Array.from(numbers, (number) => (number % 5 === 0 ? 0 : 1)),
});

/** Slices of up to `size` rows; after `cutAfter` of them the connection breaks. */
async function* slicesOf(
  numbers: readonly number[],
  size: number,
  cutAfter: number,
): AsyncGenerator<VectorRows> {
  for (let from = 0, count = 0; from < numbers.length; from += size, count++) {
    if (count === cutAfter) throw new PassingFault('the connection broke', 0);
    yield rowsFrom(numbers.slice(from, from + size));
  }
}

describe('merged results', () => {
  test('have the order of the input, also if downloads break', async () => {
    const part = fc.record({ producer: fc.nat(2), rows: fc.integer({ min: 1, max: 6 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 3 }),
        async (given, size, cutAfter) => {
          const numbers: number[][] = [[], [], []];
          let count = 0;
          for (const { producer, rows } of given) {
            for (let n = 0; n < rows; n++) numbers[producer]?.push(count++);
          }
          const missing: number[] = [];
          // Each download passes one slice more than the one before.
          const sources = numbers.map((own) => {
            let attempts = 0;
            return async () => slicesOf(own, size, cutAfter + attempts++);
          });
          const parts = given.map((each, n) => ({ ...each, number: n + 1 }));
          const merged = mergeRows({
            parts,
            sources,
            retry: {},
            onMissing: ({ number }, rows) => {
              missing[number] = rows;
            },
          });
          const slices = await collect(merged);
          expect(slices.flatMap(({ ids }) => ids).map(Number)).toEqual([...Array(count).keys()]);
          expect(slices.flatMap(({ vectors }) => [...vectors.filter((_, n) => n % 2 === 0)])).toEqual([
            ...Array(count).keys(),
          ]);
          const lineOf = (number: number) => Buffer.from(`{"id":"${number}"}\n`);
          const reports = numbers.map(
            (own) => async () =>
              (async function* () {
                for (const number of own) if (number % 5 === 0) yield lineOf(number);
              })(),
          );
          const lines = parts.map((each) => ({ ...each, lines: missing[each.number] ?? 0 }));
          const report = Buffer.concat(await collect(mergeReports({ parts: lines, sources: reports })));
          const expected = [...Array(count).keys()].filter((number) => number % 5 === 0).map(lineOf);
          expect(report.equals(Buffer.concat(expected))).toBe(true);
        },
      ),
    );
  });

  test('count the rows without a vector also for a reader that stops after the last row', async () => {
    const missing: number[] = [];
    const merged = mergeRows({
      parts: [{ number: 1, producer: 0, rows: 3 }],
      sources: [async () => slicesOf([4, 5, 6], 3, 9)],
      retry: {},
      onMissing: ({ number }, rows) => {
        missing[number] = rows;
      },
    });
    expect((await merged.next()).value?.ids).toHaveLength(3);
    expect(missing[1]).toBe(1);
    await merged.return(undefined);
  });

  test('fail if a producer has fewer rows or reports fewer than it should', async () => {
    const parts = [{ number: 1, producer: 0, rows: 3, lines: 1 }];
    const short = mergeRows({
      parts,
      sources: [async () => slicesOf([1, 2], 2, 9)],
      retry: {},
      onMissing: () => {},
    });
    await expect(collect(short)).rejects.toThrow('fewer rows than the run has');
    const sources = [async () => (async function* (): AsyncGenerator<Uint8Array> {})()];
    await expect(collect(mergeReports({ parts, sources }))).rejects.toThrow('ends before part 1');
  });

  test('fail with the fault of a download that breaks without a new row', async () => {
    const merged = mergeRows({
      parts: [{ number: 1, producer: 0, rows: 3 }],
      sources: [async () => slicesOf([1, 2, 3], 1, 2)],
      retry: {},
      onMissing: () => {},
    });
    await expect(collect(merged)).rejects.toBeInstanceOf(PassingFault);
  });
});

test('rows without an id get their number in the input', async () => {
  const row = (line: number, id: string | null): RowRead => ({ ok: true, line, id, text: 'x' });
  async function* slices() {
    yield [row(1, null), row(2, 'b')];
    yield [row(3, null)];
  }
  expect((await collect(withIds(slices()))).flat().map(({ id }) => id)).toEqual(['1', 'b', '3']);
});

/** What a producer of a test answers. */
interface Answers {
  version?: string;
  workers?: { model: string; fingerprint: string }[];
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
  const error = await group.createRun({}).then(
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
  });
});
