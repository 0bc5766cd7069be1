/**
 * Loading into databases. pgvector: PostgreSQL itself with its extension, compiled to WebAssembly (PGlite). Qdrant has no server
 * here: a server of the test holds our requests against the shapes of Qdrant's REST reference.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { EmbedmillError, UnavailableError, type VectorRows } from '@embedmill/core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { load } from '../../../apps/cli/src/load/load.ts';
import { openStore, readStoreUrl } from '../../../apps/cli/src/load/open.ts';
import { openPgvector } from '../../../apps/cli/src/load/pgvector.ts';
import { pointId } from '../../../apps/cli/src/load/qdrant.ts';
import type { VectorStore } from '../../../apps/cli/src/load/types.ts';

const { signal } = new AbortController();

/** A file with these rows; null is a row without a vector. */
function fileOf(...rows: [id: string, vector: [number, number] | null][]) {
  const slice: VectorRows = {
    ids: rows.map(([id]) => id),
    dim: 2,
    vectors: Float32Array.from(rows.flatMap(([, vector]) => vector ?? [0, 0])),
    present: Uint8Array.from(rows, ([, vector]) => (vector === null ? 0 : 1)),
  };
  return {
    name: 'test.npy',
    rows: rows.length,
    async *read() {
      yield slice;
    },
  };
}

/** Loads a file in requests of two rows. */
function loadInto(store: VectorStore, file: ReturnType<typeof fileOf>, notes: string[] = []) {
  const parts = {
    batchRows: 2,
    onRows: () => {},
    onRetry: (reason: string) => void notes.push(reason),
    signal,
  };
  return load({ file, open: async () => store, ...parts });
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

  test('writes the rows that have a vector and counts the others', async () => {
    const store = failing(0, new Error());
    expect(await loadInto(store, rows)).toEqual({ rows: 3, missing: 1, store: 'memory' });
    expect(store.written).toEqual(['a', 'b', "c'; DROP"]);
    expect(store.ended).toEqual(['finish', 'close']);
  });

  test('repeats a request that fails for a passing reason, and says why', async () => {
    const store = failing(1, new UnavailableError('store-unavailable', 'it restarts'));
    const notes: string[] = [];
    expect(await loadInto(store, rows, notes)).toMatchObject({ rows: 3 });
    expect(store.written).toEqual(['a', 'b', "c'; DROP"]);
    expect(notes).toEqual(['it restarts']);
  });

  test('ends at once where a repetition would not help', async () => {
    const store = failing(1, new EmbedmillError('store-refused', 'no such table'));
    await expect(loadInto(store, rows)).rejects.toThrow('no such table');
    expect([store.written, store.ended]).toEqual([[], ['close']]);
  });
});

describe('pgvector', () => {
  const request = { url: new URL('postgres://me@db/shop'), table: 'the "rows"', dim: 2 };

  test('holds each id once, however often it is loaded, and finds the nearest', async () => {
    const database = await PGlite.create({ extensions: { vector } });
    onTestFinished(() => database.close());
    const open = () => openPgvector(database, request);
    await loadInto(await open(), rows);
    const again = fileOf(['a', [0, 1]], ['a', [-1, 0]], ['d', [0.8, 0.6]]);
    expect(await loadInto(await open(), again)).toEqual({
      rows: 3,
      missing: 0,
      store: 'table "the \\"rows\\"" at db',
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

    await expect(openPgvector(database, { ...request, dim: 3 })).rejects.toMatchObject({
      code: 'store-refused',
      message: 'the table "the \\"rows\\"" takes vectors of 2 floats in "embedding"; the file has 3',
    });
  });

  test.each([
    ['0A000', 'store-refused', false],
    ['57P01', 'store-unavailable', true],
    ['ECONNRESET', 'store-unavailable', true],
  ])('that refuses with %s is quoted as %s', async (code, expected, retryable) => {
    const connection = {
      query: async () => {
        throw Object.assign(new Error('the server says no'), { code });
      },
    };
    await expect(openPgvector(connection, request)).rejects.toMatchObject({
      code: expected,
      retryable,
      message: 'PostgreSQL says: the server says no',
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
    return { asked, open: () => openStore({ url, table: 'my rows', dim: 2, signal }) };
  }
  const done = { status: 200, body: { result: { status: 'completed' }, status: 'ok', time: 0.001 } };
  const collection = (size: number) => ({
    status: 200,
    body: { result: { config: { params: { vectors: { size, distance: 'Cosine' } } } }, status: 'ok' },
  });

  test('is given a collection and points with ids that repeat themselves', async () => {
    const { asked, open } = await startQdrant({ status: 404, body: {} }, done, done, done);
    await loadInto(await open(), rows);
    expect(asked).toEqual([
      { line: 'GET /collections/my%20rows', key: 'the-key', body: null },
      {
        line: 'PUT /collections/my%20rows',
        key: 'the-key',
        body: { vectors: { size: 2, distance: 'Cosine' } },
      },
      {
        line: 'PUT /collections/my%20rows/points?wait=true',
        key: 'the-key',
        body: {
          points: [
            { id: pointId('a'), vector: [1, 0], payload: { id: 'a' } },
            { id: pointId('b'), vector: [0, 1], payload: { id: 'b' } },
          ],
        },
      },
      {
        line: 'PUT /collections/my%20rows/points?wait=true',
        key: 'the-key',
        body: { points: [expect.anything()] },
      },
    ]);
    expect(pointId('a')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(pointId('a')).not.toBe(pointId('b'));
  });

  test('is asked again when it is too busy', async () => {
    const { asked, open } = await startQdrant(collection(2), { status: 503, body: 'busy' }, done);
    const notes: string[] = [];
    expect(await loadInto(await open(), fileOf(['a', [1, 0]]), notes)).toMatchObject({ rows: 1 });
    expect(notes).toEqual([expect.stringContaining('Qdrant answered 503')]);
    expect(asked).toHaveLength(3);
  });

  test('is not given vectors of another dimension', async () => {
    const { open } = await startQdrant(collection(384));
    await expect(open()).rejects.toThrow(
      'the collection "my rows" takes vectors of 384 floats; the file has 2',
    );
  });

  test('is named when nobody answers', async () => {
    const url = readStoreUrl('qdrant+http://127.0.0.1:9');
    await expect(openStore({ url, table: 't', dim: 2, signal })).rejects.toMatchObject({
      code: 'store-unavailable',
      message: 'nobody answers at http://127.0.0.1:9/collections/t',
    });
  });
});

test.each(['mysql://db/x', 'localhost', 'http://localhost:6333'])('%s is no store', (given) => {
  expect(() => readStoreUrl(given)).toThrow(
    'is no store; expected postgres://user@host/database, qdrant+http',
  );
});
