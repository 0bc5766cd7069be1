/** Downloads of a completed run: vectors in four formats, ranges, ids, scales, the report, and failures while sending. */

import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  makeRows,
  startApi,
  type TestApi,
  type TestApiOptions,
  type TestResponse,
  until,
} from '../support/api.ts';
import { HASH_DIM, hashVector, startHashWorker } from '../support/hash-worker.ts';
import { readNpy } from '../unit/sinks/vectors.ts';

const ROW_BYTES = HASH_DIM * 4;
const HEADER_BYTES = 128;

interface Line {
  id: string;
  vector: number[] | string | null;
}

/** Creates a completed run of these rows. */
async function completedRun(
  rows: readonly { id?: string; text: string }[],
  options: TestApiOptions = {},
  batchRows = 10,
) {
  const api = await startApi(options);
  await startHashWorker(api.redis);
  const { id } = await api.create({ name: 'reviews/may "x" ü', batchRows });
  await api.send(id, 0, rows);
  await api.call('POST', `/v1/runs/${id}/seal`);
  const info = await api.completed(id);
  const get = (what: string, headers: Record<string, string> = {}, method = 'GET') =>
    api.call(method, `/v1/runs/${id}/${what}`, { headers });
  return { api, id, info, get };
}

async function linesIn(response: TestResponse): Promise<Line[]> {
  const text = await response.text();
  return text === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
}

const bytesIn = async (response: TestResponse) => Buffer.from(await response.arrayBuffer());

/** Flips a byte of every vector block from shard `from`, so that its checksum no longer matches. */
async function damageShards(api: TestApi, run: string, from: number): Promise<void> {
  const folder = join(api.dataDir, 'runs', run, 'shards');
  for (const name of (await readdir(folder)).sort().slice(from)) {
    const bytes = await readFile(join(folder, name));
    bytes[200] = bytes[200]! ^ 0xff;
    await writeFile(join(folder, name), bytes);
  }
}

/** Records the batches whose vectors are read from now on, in order. */
function watchReads(api: TestApi, run: string): number[] {
  const { shards } = api.collecting.runs.get(run).files;
  const batches: number[] = [];
  const read = shards.read.bind(shards);
  shards.read = (batch) => {
    batches.push(batch);
    return read(batch);
  };
  return batches;
}

describe('results as JSON lines', () => {
  it('have one line per row, in order, with null for rows without a vector', async () => {
    const rows = [...makeRows(23), { id: 'blank', text: '' }, { text: 'no id' }, ...makeRows(10, 50)];
    const { get } = await completedRun(rows);
    const response = await get('results');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    expect(response.headers.get('content-disposition')).toMatch(
      /^attachment; filename="reviews_may \\"x\\" .*\.jsonl"; filename\*=UTF-8''reviews_may%20%22x%22%20%C3%BC\.jsonl$/,
    );
    const lines = await linesIn(response);
    expect(lines.map(({ id }) => id)).toEqual(rows.map((row, i) => ('id' in row ? row.id : String(i + 1))));
    expect(lines[23]).toEqual({ id: 'blank', vector: null });
    expect(Float32Array.from(lines[0]!.vector as number[])).toEqual(hashVector(rows[0]!.text));
    expect(Float32Array.from(lines[34]!.vector as number[])).toEqual(hashVector(rows[34]!.text));
  });

  it('can encode vectors in base64', async () => {
    const { get } = await completedRun(makeRows(3));
    const [line] = await linesIn(await get('results?format=jsonl&encoding=base64'));
    const bytes = Buffer.from(line!.vector as string, 'base64');
    expect(bytes).toEqual(Buffer.from(hashVector(makeRows(3)[0]!.text).buffer));
  });
});

describe('results as JSON lines of another dtype', () => {
  it('have the scale of each row after its vector', async () => {
    const { get } = await completedRun(makeRows(3));
    const [line] = await linesIn(await get('results?dtype=int8'));
    expect(Object.keys(line!)).toEqual(['id', 'vector', 'scale']);
    const [first] = hashVector(makeRows(3)[0]!.text);
    const { vector, scale } = line as unknown as { vector: number[]; scale: number };
    expect(Math.abs(vector[0]! * scale - first!)).toBeLessThanOrEqual(scale * 0.501);
  });
});

describe('results as Parquet', () => {
  it('are a complete file', async () => {
    const { get } = await completedRun(makeRows(30));
    const response = await get('results?format=parquet');
    expect(response.headers.get('content-type')).toBe('application/vnd.apache.parquet');
    const bytes = await bytesIn(response);
    expect(bytes.toString('latin1', 0, 4)).toBe('PAR1');
    expect(bytes.toString('latin1', bytes.length - 4)).toBe('PAR1');
    const smaller = await bytesIn(await get('results?format=parquet&dtype=int8'));
    expect(smaller.length).toBeLessThan(bytes.length);
  });
});

describe('results as npy', () => {
  it('are a header and the vectors, with zeros for rows without one', async () => {
    const rows = [...makeRows(12), { id: 'blank', text: ' ' }];
    const { get } = await completedRun(rows);
    const response = await get('results?format=npy');
    const bytes = await bytesIn(response);
    expect(response.headers.get('content-length')).toBe(String(HEADER_BYTES + 13 * ROW_BYTES));
    expect(response.headers.get('accept-ranges')).toBe('bytes');
    expect(bytes.toString('latin1', 0, HEADER_BYTES)).toContain(`(13, ${HASH_DIM})`);
    const vectors = new Float32Array(
      bytes.buffer.slice(bytes.byteOffset + HEADER_BYTES, bytes.byteOffset + bytes.length),
    );
    for (const [i, { text }] of rows.entries()) {
      expect(vectors.subarray(i * HASH_DIM, (i + 1) * HASH_DIM)).toEqual(hashVector(text));
    }
  });

  it('are available in any range', async () => {
    const { get } = await completedRun(makeRows(45));
    const whole = await bytesIn(await get('results?format=npy'));
    const last = whole.length - 1;
    const ranges: [string, number, number][] = [
      ['bytes=0-0', 0, 0],
      ['bytes=0-', 0, last],
      ['bytes=10-127', 10, 127],
      ['bytes=100-200', 100, 200],
      ['bytes=128-191', 128, 191],
      [
        `bytes=${HEADER_BYTES + 10 * ROW_BYTES}-${HEADER_BYTES + 20 * ROW_BYTES - 1}`,
        HEADER_BYTES + 10 * ROW_BYTES,
        HEADER_BYTES + 20 * ROW_BYTES - 1,
      ],
      [
        `bytes=${HEADER_BYTES + 7 * ROW_BYTES + 3}-${HEADER_BYTES + 33 * ROW_BYTES + 1}`,
        HEADER_BYTES + 7 * ROW_BYTES + 3,
        HEADER_BYTES + 33 * ROW_BYTES + 1,
      ],
      ['bytes=-1', last, last],
      ['bytes=-70', last - 69, last],
      ['bytes=2000-99999999', 2000, last],
    ];
    for (const [range, start, end] of ranges) {
      const response = await get('results?format=npy', { range });
      expect([range, response.status]).toEqual([range, 206]);
      expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end}/${whole.length}`);
      expect(response.headers.get('content-length')).toBe(String(end - start + 1));
      expect((await bytesIn(response)).equals(whole.subarray(start, end + 1))).toBe(true);
    }
  });

  it.each([
    ['float16', "'<f2'", 2],
    ['int8', "'|i1'", 1],
  ])('can store %s numbers, in any range too', async (dtype, descr, numberBytes) => {
    const { get } = await completedRun(makeRows(45));
    const what = `results?format=npy&dtype=${dtype}`;
    const response = await get(what);
    const whole = await bytesIn(response);
    expect(whole.length).toBe(HEADER_BYTES + 45 * HASH_DIM * numberBytes);
    expect(response.headers.get('content-length')).toBe(String(whole.length));
    expect(response.headers.get('etag')).not.toBe((await get('results?format=npy')).headers.get('etag'));
    expect(whole.toString('latin1', 0, HEADER_BYTES)).toContain(descr);
    for (const [start, end] of [
      [100, 200],
      [HEADER_BYTES + 7 * HASH_DIM * numberBytes + 3, HEADER_BYTES + 33 * HASH_DIM * numberBytes + 1],
    ] as const) {
      const part = await get(what, { range: `bytes=${start}-${end}` });
      expect(part.status).toBe(206);
      expect((await bytesIn(part)).equals(whole.subarray(start, end + 1))).toBe(true);
    }
  });

  it('have their scales in a separate file', async () => {
    const { get } = await completedRun([...makeRows(12), { id: 'blank', text: ' ' }]);
    const response = await get('scales');
    expect(response.headers.get('content-disposition')).toContain('.scales.npy');
    const { shape, numbers: scales } = readNpy(await bytesIn(response));
    const { numbers } = readNpy(await bytesIn(await get('results?format=npy&dtype=int8')));
    expect(shape).toEqual([13]);
    expect(scales[12]).toBe(0);
    const floats = hashVector(makeRows(12)[5]!.text);
    for (const [i, float] of floats.entries()) {
      expect(Math.abs(numbers[5 * HASH_DIM + i]! * scales[5]! - float)).toBeLessThanOrEqual(
        scales[5]! * 0.501,
      );
    }
  });

  it('are rejected for a range after their end', async () => {
    const { get } = await completedRun(makeRows(2));
    const response = await get('results?format=npy', { range: 'bytes=100000-' });
    expect(response.status).toBe(416);
    expect(response.headers.get('content-range')).toBe(`bytes */${HEADER_BYTES + 2 * ROW_BYTES}`);
    expect((await response.json()).code).toBe('range-not-satisfiable');
  });

  it.each(['bytes=a-b', 'lines=1-2', 'bytes=0-1,5-9'])('are sent completely for %s', async (range) => {
    const { get } = await completedRun(makeRows(2));
    const response = await get('results?format=npy', { range });
    expect([response.status, (await bytesIn(response)).length]).toEqual([200, HEADER_BYTES + 2 * ROW_BYTES]);
  });

  it('are resumed only if they are unchanged', async () => {
    const { get } = await completedRun(makeRows(2));
    const etag = (await get('results?format=npy', {}, 'HEAD')).headers.get('etag')!;
    const same = await get('results?format=npy', { range: 'bytes=5-6', 'if-range': etag });
    expect(same.status).toBe(206);
    const other = await get('results?format=npy', { range: 'bytes=5-6', 'if-range': '"another"' });
    expect(other.status).toBe(200);
    const known = await get('results?format=npy', { 'if-none-match': etag, 'cache-control': 'max-age=0' });
    expect(known.status).toBe(304);
  });

  it('are read only from the batches of the range', async () => {
    const { api, id, get } = await completedRun(makeRows(100));
    const read = watchReads(api, id);
    const start = HEADER_BYTES + 40 * ROW_BYTES;
    await bytesIn(await get('results?format=npy', { range: `bytes=${start}-${start + 10 * ROW_BYTES - 1}` }));
    expect(read).toEqual([4]);
    await bytesIn(await get('results?format=npy', { range: `bytes=${start - 1}-${start}` }));
    expect(read).toEqual([4, 3, 4]);
    await bytesIn(await get('results?format=npy', { range: 'bytes=0-127' }));
    expect(read).toEqual([4, 3, 4]);
  });
});

describe('every file', () => {
  it('answers HEAD with the headers alone', async () => {
    const { get } = await completedRun(makeRows(5));
    for (const what of [
      'results',
      'results?format=npy',
      'results?format=parquet',
      'ids',
      'scales',
      'report',
    ]) {
      const head = await get(what, {}, 'HEAD');
      expect([what, head.status, await head.text()]).toEqual([what, 200, '']);
      expect(head.headers.get('content-disposition')).toContain('attachment');
      expect(head.headers.get('etag')).toBe((await get(what)).headers.get('etag'));
    }
    expect((await get('results?format=npy', {}, 'HEAD')).headers.get('content-length')).toBe(
      String(HEADER_BYTES + 5 * ROW_BYTES),
    );
  });

  it('exists only once the run is completed', async () => {
    const api = await startApi();
    const { id } = await api.create();
    await api.send(id, 0, makeRows(5));
    for (const state of ['open', 'sealed']) {
      for (const what of ['results', 'results?format=npy', 'ids', 'scales', 'report']) {
        const response = await api.call('GET', `/v1/runs/${id}/${what}`);
        expect([what, response.status]).toEqual([what, 409]);
        expect(await response.json()).toMatchObject({ code: 'run-not-completed', state });
      }
      await api.call('POST', `/v1/runs/${id}/seal`);
    }
  });

  it.each([
    'results?format=csv',
    'results?format=jsonl&encoding=hex',
    'results?format=npy&dtype=int4',
    'results?fields=id',
    'report?include=all',
  ])('is not served for %s', async (what) => {
    const { get } = await completedRun(makeRows(1));
    const response = await get(what);
    expect([response.status, (await response.json()).code]).toEqual([400, 'invalid-query']);
  });
});

describe('ids', () => {
  it('come in row order, one per line', async () => {
    const rows = [...makeRows(15), { text: 'no id' }];
    const { get } = await completedRun(rows);
    const response = await get('ids');
    expect(response.headers.get('content-disposition')).toContain('.ids.jsonl');
    expect(await linesIn(response)).toEqual([...makeRows(15).map(({ id }) => ({ id })), { id: '16' }]);
  });
});

describe('the report', () => {
  const rows = [
    { id: 'fine', text: 'good' },
    { id: 'blank', text: '  ' },
    { id: 'long', text: 'word '.repeat(100) },
    { text: '' },
  ];

  it('has the rows without a vector', async () => {
    const { get } = await completedRun(rows, {}, 3);
    expect(await linesIn(await get('report'))).toEqual([
      { id: 'blank', line: 2, verdict: 'empty', message: 'the text is empty' },
      { id: '4', line: 4, verdict: 'empty', message: 'the text is empty' },
    ]);
  });

  it('includes truncated rows on request', async () => {
    const { get } = await completedRun(rows, {}, 3);
    expect(await linesIn(await get('report?include=truncated'))).toEqual([
      expect.objectContaining({ id: 'blank' }),
      {
        id: 'long',
        line: 3,
        verdict: 'truncated',
        message: '100 tokens beyond the limit of the model were cut off',
        lostTokens: 100,
      },
      expect.objectContaining({ id: '4' }),
    ]);
  });

  it('is empty if every row has a vector', async () => {
    const { get } = await completedRun(makeRows(3));
    expect(await linesIn(await get('report'))).toEqual([]);
  });
});

describe('a failure while results are sent', () => {
  it('is answered if nothing was sent yet, without details of the disk', async () => {
    const { api, id, get } = await completedRun(makeRows(20));
    await damageShards(api, id, 0);
    const response = await get('results');
    expect(response.status).toBe(500);
    expect(response.headers.get('content-disposition')).toBeNull();
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ code: 'corrupt-files' });
    expect(text).not.toContain(api.dataDir);
    expect(api.logged).toContainEqual(
      expect.objectContaining({ msg: 'a request failed', requestId: response.headers.get('x-request-id') }),
    );
  });

  it('closes the connection later, so that a partial file never looks complete', async () => {
    // One shard per batch: the first shards are intact, the others damaged.
    const { api, id, get } = await completedRun(makeRows(20_000), { shardBytes: 400_000 }, 1000);
    await damageShards(api, id, 1);
    for (const what of ['results?format=npy', 'results?format=jsonl']) {
      const response = await get(what);
      expect(response.status).toBe(200);
      await expect(response.arrayBuffer()).rejects.toThrow();
      await until(() =>
        api.logged.some(
          (line) =>
            line.requestId === response.headers.get('x-request-id') &&
            line.msg === 'response aborted by an internal error',
        ),
      );
    }
    expect((await api.call('GET', '/healthz')).status).toBe(200);
  });
});

describe('a client that downloads results', () => {
  it('slowly slows down the reading of the files', async () => {
    const { api, id } = await completedRun(makeRows(60_000), {}, 4000);
    const socket = connect(api.port, '127.0.0.1');
    onTestFinished(() => {
      socket.destroy();
    });
    const { total } = api.collecting.runs.get(id).info().batches;
    const read = watchReads(api, id);
    socket.pause();
    socket.write(`GET /v1/runs/${id}/results HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n`);
    let before = -1;
    await until(async () => {
      const stands = read.length > 0 && before === read.length;
      before = read.length;
      if (!stands) await new Promise((resolve) => setTimeout(resolve, 300));
      return stands;
    });
    expect(read.length).toBeLessThan(total / 2);
    let lines = 0;
    socket.on('data', (chunk: Buffer) => {
      for (const byte of chunk) if (byte === 0x0a) lines += 1;
    });
    socket.resume();
    await once(socket, 'close');
    expect(read.length).toBe(total);
    expect(lines).toBeGreaterThan(60_000);
  });

  it('and disconnects leaves nothing open', async () => {
    const { api, id } = await completedRun(makeRows(60_000), {}, 4000);
    const gone = new AbortController();
    const response = await api.call('GET', `/v1/runs/${id}/results`, { signal: gone.signal });
    await response.body!.getReader().read();
    gone.abort();
    await until(() => api.logged.some((line) => line.brokenOff === true));
    expect(api.logged.filter((line) => Number(line.level) >= 40)).toEqual([]);
    expect((await api.call('DELETE', `/v1/runs/${id}`)).status).toBe(204);
  });
});

describe('a run that is deleted', () => {
  it('while its files are read is unknown, and may be deleted by several calls at once', async () => {
    const statuses = new Set<number>();
    for (let round = 0; round < 4; round++) {
      const { api, id } = await completedRun(makeRows(30));
      const paths = ['results', 'ids', 'report', 'texts?rows=1', 'results?format=parquet', 'statistics'];
      const search = { headers: { 'content-type': 'application/json' }, body: '{"text":"a"}' };
      const calls = [
        ...paths.map((path) => api.call('GET', `/v1/runs/${id}/${path}`)),
        ...[1, 2, 3].map(() => api.call('DELETE', `/v1/runs/${id}`)),
        api.call('POST', `/v1/runs/${id}/search`, search),
        ...paths.map((path) => api.call('GET', `/v1/runs/${id}/${path}`)),
      ];
      for (const response of await Promise.all(calls)) {
        statuses.add(response.status);
        // A download that has begun is broken off.
        await response.arrayBuffer().catch(() => {});
      }
      expect((await api.call('GET', `/v1/runs/${id}`)).status).toBe(404);
    }
    expect([...statuses].filter((status) => ![200, 204, 404].includes(status))).toEqual([]);
  });
});
