/**
 * Loading into databases. pgvector: PostgreSQL itself with its extension, compiled to WebAssembly (PGlite),
 * behind a socket. Qdrant has no server here: a server of the test records our requests and those of Qdrant's
 * own client.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { EmbedmillError, UnavailableError } from '@embedmill/contract';
import { QdrantClient } from '@qdrant/js-client-rest';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadIntoStore } from '../../../apps/cli/src/io/stores/load.ts';
import { openStore, readStoreUrl } from '../../../apps/cli/src/io/stores/open.ts';
import { openPgvector } from '../../../apps/cli/src/io/stores/pgvector.ts';
import { pointId } from '../../../apps/cli/src/io/stores/qdrant.ts';
import type { VectorStore } from '../../../apps/cli/src/io/stores/types.ts';
import { vectorFile } from '../../support/vector-file.ts';

const { signal } = new AbortController();

/** A file with these rows; null is a row without a vector. */
function fileOf(...rows: [id: string, vector: [number, number] | null][]) {
  return vectorFile({
    ids: rows.map(([id]) => id),
    dim: 2,
    vectors: Float32Array.from(rows.flatMap(([, vector]) => vector ?? [0, 0])),
    present: Uint8Array.from(rows, ([, vector]) => (vector === null ? 0 : 1)),
  });
}

/** Loads a file in requests of two rows. */
function loadInto(store: VectorStore, file: ReturnType<typeof fileOf>, notes: string[] = []) {
  const parts = {
    batchRows: 2,
    onRows: () => {},
    onRetry: (reason: string) => void notes.push(reason),
    signal,
  };
  return loadIntoStore({ file, open: async () => store, ...parts });
}

const rows = fileOf(['a', [1, 0]], ['b', [0, 1]], ['none', null], ["c'; DROP", [0.6, 0.8]]);

describe('a load', () => {
  /** A store that fails as often as it is told. */
  function failing(times: number, error: Error) {
    const written: string[] = [];
    const store: VectorStore & { written: string[]; ended: string[] } = {
      name: 'memory',
      written,
      ended: [],
      async upsert({ ids }) {
        if (times-- > 0) throw error;
        written.push(...ids);
      },
      finish: async () => void store.ended.push('finish'),
      close: async () => void store.ended.push('close'),
    };
    return store;
  }

  test('writes the rows with a vector and counts the others', async () => {
    const store = failing(0, new Error());
    expect(await loadInto(store, rows)).toEqual({ rows: 3, missing: 1, store: 'memory' });
    expect(store.written).toEqual(['a', 'b', "c'; DROP"]);
    expect(store.ended).toEqual(['finish', 'close']);
  });

  test('retries a request that fails temporarily, and reports the reason', async () => {
    const store = failing(1, new UnavailableError('store-unavailable', 'it restarts'));
    const notes: string[] = [];
    expect(await loadInto(store, rows, notes)).toMatchObject({ rows: 3 });
    expect(store.written).toEqual(['a', 'b', "c'; DROP"]);
    expect(notes).toEqual(['it restarts']);
  });

  test('ends at once on a permanent failure', async () => {
    const store = failing(1, new EmbedmillError('store-refused', 'no such table'));
    await expect(loadInto(store, rows)).rejects.toThrow('no such table');
    expect([store.written, store.ended]).toEqual([[], ['close']]);
  });
});

describe('pgvector', () => {
  const request = { url: new URL('postgres://me@db/shop'), table: 'the "rows"', dim: 2 };

  /** PostgreSQL at an address, as `pg` connects to it. */
  async function startPostgres() {
    const database = await PGlite.create({ extensions: { vector } });
    let server = new PGLiteSocketServer({ db: database, port: 0, maxConnections: 2 });
    await server.start();
    const url = new URL(`postgres://postgres@${server.getServerConn()}/postgres`);
    onTestFinished(async () => {
      await server.stop();
      await database.close();
    });
    return {
      database,
      open: (dim = 2) => openStore({ ...request, url, dim, signal }),
      host: url.host,
      stop: () => server.stop(),
      /** Listens at the same address again. */
      async start() {
        server = new PGLiteSocketServer({ db: database, port: Number(url.port), maxConnections: 2 });
        await server.start();
      },
    };
  }

  test('holds each id once when loaded again, and finds the nearest rows', async () => {
    const { database, open, host } = await startPostgres();
    await loadInto(await open(), rows);
    const again = fileOf(['a', [0, 1]], ['a', [-1, 0]], ['d', [0.8, 0.6]]);
    expect(await loadInto(await open(), again)).toEqual({
      rows: 3,
      missing: 0,
      store: `table "the \\"rows\\"" at ${host}`,
    });
    const { rows: found } = await database.query(
      `SELECT id, embedding::text AS vector, round((1 - (embedding <=> '[1,0]'))::numeric, 3)::float AS cosine
       FROM "the ""rows""" ORDER BY embedding <=> '[1,0]', id`,
    );
    expect(found).toEqual([
      { id: 'd', vector: '[0.8,0.6]', cosine: 0.8 },
      { id: "c'; DROP", vector: '[0.6,0.8]', cosine: 0.6 },
      { id: 'b', vector: '[0,1]', cosine: 0 },
      { id: 'a', vector: '[-1,0]', cosine: -1 },
    ]);
    const { rows: indexes } = await database.query(
      'SELECT indexdef FROM pg_indexes WHERE indexname = \'the "rows"_embedding_cosine\'',
    );
    expect(indexes).toEqual([
      { indexdef: expect.stringContaining('USING hnsw (embedding vector_cosine_ops)') },
    ]);

    await expect(open(3)).rejects.toMatchObject({
      code: 'store-refused',
      message: 'the table "the \\"rows\\"" takes vectors of 2 floats in "embedding"; the file has 3',
    });
  });

  test('has every row once after its connection broke', async () => {
    const { database, open, stop, start } = await startPostgres();
    const store = await open();
    await store.upsert({ ids: ['a'], vectors: [Float32Array.of(1, 0)] });
    await stop();
    const notes: string[] = [];
    const report = await loadIntoStore({
      file: rows,
      open: async () => store,
      batchRows: 2,
      onRows: () => {},
      onRetry: (reason) => {
        notes.push(reason);
        if (notes.length === 1) void start();
      },
      signal,
    });
    expect(report).toMatchObject({ rows: 3 });
    expect(notes[0]).toMatch(/^PostgreSQL reports: /);
    const { rows: found } = await database.query('SELECT id FROM "the ""rows""" ORDER BY id');
    expect(found).toEqual([{ id: 'a' }, { id: 'b' }, { id: "c'; DROP" }]);
  });

  test.each([
    ['0A000', 'store-refused', false],
    ['57P01', 'store-unavailable', true],
    ['ECONNRESET', 'store-unavailable', true],
  ])('error %s becomes %s', async (code, expected, retryable) => {
    const connection = {
      query: async () => {
        throw Object.assign(new Error('the server says no'), { code });
      },
    };
    await expect(openPgvector(connection, request)).rejects.toMatchObject({
      code: expected,
      retryable,
      message: 'PostgreSQL reports: the server says no',
    });
  });
});

describe('Qdrant', () => {
  /** A server that answers with these, in order, and keeps what it was asked. */
  async function startQdrant(...answers: { status: number; body: unknown }[]) {
    const asked: { line: string; key: unknown; body: unknown }[] = [];
    const server = createServer(async (req: IncomingMessage, res: ServerResponse) => {
      const body = req.method === 'GET' ? null : await json(req);
      asked.push({ line: `${req.method} ${req.url}`, key: req.headers['api-key'], body });
      const answer = answers.shift() ?? { status: 500, body: 'the test has no more answers' };
      res.writeHead(answer.status, { 'content-type': 'application/json' });
      res.end(JSON.stringify(answer.body));
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    onTestFinished(() => void server.close());
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the server has no port');
    const url = readStoreUrl(`qdrant+http://:the-key@127.0.0.1:${address.port}`);
    return {
      asked,
      origin: `http://127.0.0.1:${address.port}`,
      open: () => openStore({ url, table: 'my rows', dim: 2, signal }),
    };
  }
  const done = { status: 200, body: { result: { status: 'completed' }, status: 'ok', time: 0.001 } };
  const collection = (size: number) => ({
    status: 200,
    body: { result: { config: { params: { vectors: { size, distance: 'Cosine' } } } }, status: 'ok' },
  });

  test('receives the same collection and points as from its own client', async () => {
    const ours = await startQdrant({ status: 404, body: {} }, done, done, done);
    await loadInto(await ours.open(), rows);

    const theirs = await startQdrant({ status: 404, body: {} }, done, done, done);
    const client = new QdrantClient({ url: theirs.origin, apiKey: 'the-key', checkCompatibility: false });
    const point = (id: string, vector: number[]) => ({ id: pointId(id), vector, payload: { id } });
    await expect(client.getCollection('my rows')).rejects.toMatchObject({ status: 404 });
    await client.createCollection('my rows', { vectors: { size: 2, distance: 'Cosine' } });
    await client.upsert('my rows', { wait: true, points: [point('a', [1, 0]), point('b', [0, 1])] });
    const last = [...Float32Array.of(0.6, 0.8)];
    await client.upsert('my rows', { wait: true, points: [point("c'; DROP", last)] });

    expect(ours.asked).toEqual(theirs.asked);
    expect(ours.asked.map(({ line, key }) => [line, key])).toEqual([
      ['GET /collections/my%20rows', 'the-key'],
      ['PUT /collections/my%20rows', 'the-key'],
      ['PUT /collections/my%20rows/points?wait=true', 'the-key'],
      ['PUT /collections/my%20rows/points?wait=true', 'the-key'],
    ]);
  });

  test('gets reproducible UUIDs as point ids', () => {
    expect(pointId('a')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(pointId('a')).toBe(pointId('a'));
    expect(pointId('a')).not.toBe(pointId('b'));
  });

  test('is retried when it is overloaded', async () => {
    const { asked, open } = await startQdrant(collection(2), { status: 503, body: 'busy' }, done);
    const notes: string[] = [];
    expect(await loadInto(await open(), fileOf(['a', [1, 0]]), notes)).toMatchObject({ rows: 1 });
    expect(notes).toEqual([expect.stringContaining('Qdrant responded with 503')]);
    expect(asked).toHaveLength(3);
  });

  test('rejects vectors of another dimension', async () => {
    const { open } = await startQdrant(collection(384));
    await expect(open()).rejects.toThrow(
      'the collection "my rows" takes vectors of 384 floats; the file has 2',
    );
  });

  test('is named in the error when it does not respond', async () => {
    const url = readStoreUrl('qdrant+http://127.0.0.1:9');
    await expect(openStore({ url, table: 't', dim: 2, signal })).rejects.toMatchObject({
      code: 'store-unavailable',
      message: 'no response from http://127.0.0.1:9/collections/t',
    });
  });
});

test.each(['mysql://db/x', 'localhost', 'http://localhost:6333'])('%s is not a store', (given) => {
  expect(() => readStoreUrl(given)).toThrow(
    'is not a store; expected postgres://user@host/database, qdrant+http',
  );
});
