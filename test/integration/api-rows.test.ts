/** Uploads of rows: formats, parts, limits, and uploads that are interrupted, stall or are too fast. */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { linesOf, makeRows, startApi, type TestApi, until } from '../support/api.ts';
import { startHashWorker } from '../support/hash-worker.ts';

const MEGABYTE = 1024 * 1024;
const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function post(
  api: TestApi,
  run: string,
  query: string,
  type: string,
  body: RequestInit['body'],
  headers = {},
) {
  return api.call('POST', `/v1/runs/${run}/rows?${query}`, {
    headers: { 'content-type': type, ...headers },
    body,
    duplex: 'half',
  } as RequestInit);
}

/** The results of a run, as [id, whether it has a vector]. */
async function finish(api: TestApi, run: string): Promise<[string, boolean][]> {
  await api.call('POST', `/v1/runs/${run}/seal`);
  await api.completed(run);
  const text = await (await api.call('GET', `/v1/runs/${run}/results`)).text();
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .map(({ id, vector }) => [id, vector !== null]);
}

/** A raw request; `headers` without the empty line. */
function rawPost(api: TestApi, run: string, query: string, headers: readonly string[]) {
  const socket = connect(api.port, '127.0.0.1');
  onTestFinished(() => {
    socket.destroy();
  });
  let answer = '';
  socket.setEncoding('latin1').on('data', (text) => {
    answer += text;
  });
  socket.on('error', () => {});
  socket.write(
    [
      `POST /v1/runs/${run}/rows?${query} HTTP/1.1`,
      'Host: test',
      'Content-Type: application/x-ndjson',
      ...headers,
      '\r\n',
    ].join('\r\n'),
  );
  return { socket, answer: () => answer };
}

describe('a part', () => {
  it('is accepted with its valid rows and a list of the rejected ones', async () => {
    const api = await startApi();
    const { id } = await api.create();
    const body = [
      '{"id":"a","text":"fine"}',
      'not json',
      '{"id":"b"}',
      '["c"]',
      '{"id":"d","text":"fine too"}',
      '{"id":"e","text":7}',
      `{"id":"${'x'.repeat(513)}","text":"id"}`,
      '',
    ].join('\n');
    const response = await post(api, id, 'part=3', 'application/x-ndjson', body);
    expect(response.status).toBe(201);
    const receipt = await response.json();
    expect(receipt).toMatchObject({
      part: 3,
      accepted: 2,
      rejectedCount: 5,
      duplicate: false,
      sha256: sha256(body),
    });
    expect(receipt.rejected.map(({ line, code }: { line: number; code: string }) => [line, code])).toEqual([
      [2, 'invalid-json'],
      [3, 'missing-text'],
      [4, 'not-an-object'],
      [6, 'text-not-string'],
      [7, 'id-too-long'],
    ]);
    expect(api.collecting.runs.get(id).info().rows).toEqual({ accepted: 2, rejected: 5, done: 0 });
  });

  it('is idempotent', async () => {
    const api = await startApi();
    const { id } = await api.create();
    const first = await (await api.send(id, 0, makeRows(25))).json();
    const again = await api.send(id, 0, makeRows(25));
    expect(again.status).toBe(200);
    expect(await again.json()).toEqual({ ...first, duplicate: true });
    expect(api.collecting.runs.get(id).info()).toMatchObject({
      parts: 1,
      rows: { accepted: 25 },
      batches: { total: 3 },
    });
  });

  it('is a conflict when it is sent again with other rows', async () => {
    const api = await startApi();
    const { id } = await api.create();
    await api.send(id, 0, makeRows(25));
    const other = await api.send(id, 0, makeRows(26));
    expect(other.status).toBe(409);
    expect((await other.json()).code).toBe('part-conflict');
    expect(api.collecting.runs.get(id).info().rows.accepted).toBe(25);
  });

  it('keeps the position of a row that the client marks as bad', async () => {
    const api = await startApi();
    await startHashWorker(api.redis);
    const { id } = await api.create();
    await api.send(id, 0, [
      { id: 'a', text: 'one' },
      { id: 'b', line: 7, error: { code: 'unreadable', message: 'the cell is a formula' } },
      { id: 'c', text: 'three' },
    ]);
    expect(await finish(api, id)).toEqual([
      ['a', true],
      ['b', false],
      ['c', true],
    ]);
    const report = await (await api.call('GET', `/v1/runs/${id}/report`)).json();
    expect(report).toEqual({
      id: 'b',
      line: 7,
      verdict: 'failed',
      message: 'unreadable: the cell is a formula',
    });
  });

  it('is ordered by its number, not by its arrival', async () => {
    const api = await startApi();
    await startHashWorker(api.redis);
    const { id } = await api.create();
    await api.send(id, 2, makeRows(12, 200));
    await api.send(id, 0, makeRows(12));
    await api.send(id, 1, makeRows(12, 100));
    const expected = [...makeRows(12), ...makeRows(12, 100), ...makeRows(12, 200)];
    expect(await finish(api, id)).toEqual(expected.map((row) => [row.id, true]));
    const { parts } = await (await api.call('GET', `/v1/runs/${id}/parts`)).json();
    expect(parts).toEqual(
      [makeRows(12), makeRows(12, 100), makeRows(12, 200)].map((rows, part) => ({
        part,
        accepted: 12,
        rejectedCount: 0,
        sha256: sha256(linesOf(rows)),
      })),
    );
  });

  it('can be sent concurrently with other parts', async () => {
    const api = await startApi();
    await startHashWorker(api.redis);
    const { id } = await api.create();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, part) => api.send(id, part, makeRows(100, part * 100))),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(201));
    expect(await finish(api, id)).toEqual(makeRows(800).map((row) => [row.id, true]));
  });

  it('is rejected, with a retry allowed, while another request sends it', async () => {
    const api = await startApi();
    const { id } = await api.create();
    const slow = rawPost(api, id, 'part=0', ['Content-Length: 1000']);
    slow.socket.write('{"text":"one"}\n');
    await until(async () => {
      const response = await api.send(id, 0, makeRows(1));
      if (response.status !== 409) throw new Error(`the part was taken: ${response.status}`);
      expect(response.headers.get('retry-after')).toBe('2');
      return (await response.json()).code === 'part-in-progress';
    });
  });

  it('is rejected by a sealed run', async () => {
    const api = await startApi();
    const { id } = await api.create();
    await api.send(id, 0, makeRows(1));
    await api.call('POST', `/v1/runs/${id}/seal`);
    const response = await api.send(id, 1, makeRows(1));
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ code: 'run-sealed', state: 'sealed' });
    // A known part may still be repeated.
    expect((await api.send(id, 0, makeRows(1))).status).toBe(200);
  });
});

describe('formats', () => {
  it('reads CSV with columns of any name', async () => {
    const api = await startApi();
    await startHashWorker(api.redis);
    const { id } = await api.create();
    const csv = 'key,body,stars\r\na,"two\nlines, ""quoted""",5\r\nb,short\r\nc,fine,4\r\n';
    const response = await post(api, id, 'part=0&textField=body&idField=key', 'text/csv; charset=UTF-8', csv);
    expect(await response.json()).toMatchObject({
      accepted: 2,
      rejected: [{ line: 4, code: 'wrong-columns' }],
    });
    expect(await finish(api, id)).toEqual([
      ['a', true],
      ['c', true],
    ]);
  });

  it('reads tab-separated values and numbers rows without ids', async () => {
    const api = await startApi();
    await startHashWorker(api.redis);
    const { id } = await api.create();
    await post(api, id, 'part=0', 'text/tab-separated-values', 'text\tn\none\t1\ntwo\t2\n');
    expect(await finish(api, id)).toEqual([
      ['1', true],
      ['2', true],
    ]);
  });

  it('reads a JSON array, and fields by path', async () => {
    const api = await startApi();
    await startHashWorker(api.redis);
    const { id } = await api.create();
    const body = '[{"of":{"id":1610521604143693812,"text":"one"}},\n{"of":{"id":2,"text":"two"},"s":NaN}]';
    const query = 'part=0&textField=of.text&idField=of.id';
    expect((await post(api, id, query, 'application/json', body)).status).toBe(201);
    expect(await finish(api, id)).toEqual([
      ['1610521604143693812', true],
      ['2', true],
    ]);
  });

  it('rejects a JSON array without an end', async () => {
    const api = await startApi();
    const { id } = await api.create();
    const response = await post(api, id, 'part=0', 'application/json', '[{"text":"one"},{"te');
    expect([response.status, (await response.json()).code]).toEqual([400, 'truncated-json']);
  });

  it('lists the columns if the requested one is missing', async () => {
    const api = await startApi();
    const { id } = await api.create();
    const response = await post(api, id, 'part=0', 'text/csv', 'review,stars\ngood,5\n');
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      code: 'missing-column',
      column: 'text',
      found: ['review', 'stars'],
    });
    // Nothing was stored, so the part can be sent with the right column.
    expect(
      (await post(api, id, 'part=0&textField=review', 'text/csv', 'review,stars\ngood,5\n')).status,
    ).toBe(201);
  });

  it('reads gzip, and recognizes a part regardless of its compression', async () => {
    const api = await startApi();
    const { id } = await api.create();
    const plain = linesOf(makeRows(500));
    const packed = await post(api, id, 'part=0', 'application/jsonl', gzipSync(plain), {
      'content-encoding': 'gzip',
    });
    expect(packed.status).toBe(201);
    expect(await packed.json()).toMatchObject({ accepted: 500, sha256: sha256(plain) });
    expect((await api.send(id, 0, makeRows(500))).status).toBe(200);
  });

  it.each([
    ['a type that is not read', { 'content-type': 'application/xml' }, 415, 'unsupported-media-type'],
    ['no type', { 'content-type': '' }, 415, 'unsupported-media-type'],
    ['nonsense for a type', { 'content-type': 'csv please' }, 415, 'unsupported-media-type'],
    ['another charset', { 'content-type': 'text/csv; charset=latin1' }, 415, 'unsupported-media-type'],
    [
      'another content encoding',
      { 'content-type': 'text/csv', 'content-encoding': 'br' },
      415,
      'unsupported-encoding',
    ],
    ['gzip that is none', { 'content-type': 'text/csv', 'content-encoding': 'gzip' }, 400, 'corrupt-gzip'],
  ])('rejects %s', async (_what, headers, status, code) => {
    const api = await startApi();
    const { id } = await api.create();
    const response = await api.call('POST', `/v1/runs/${id}/rows?part=0`, {
      headers: headers as Record<string, string>,
      body: Buffer.from('id,text\n1,good\n'),
    });
    expect(response.status).toBe(status);
    expect((await response.json()).code).toBe(code);
  });

  it.each([
    '',
    'part=',
    'part=-1',
    'part=1.5',
    'part=9999999999',
    'part=1&part=2',
    'part=1&textfield=a',
    'part=0&textField=',
  ])('rejects ?%s', async (query) => {
    const api = await startApi();
    const { id } = await api.create();
    const response = await post(api, id, query, 'application/x-ndjson', '{"text":"a"}\n');
    expect(response.status).toBe(400);
    expect((await response.json()).code).toBe('invalid-query');
  });
});

describe('limits', () => {
  it('rejects a row over the limit and accepts its neighbours', async () => {
    const api = await startApi({ config: { maxRowBytes: 1000 } });
    const { id } = await api.create();
    const rows = [{ text: 'a' }, { text: 'b'.repeat(2000) }, { text: 'c' }];
    const receipt = await (await api.send(id, 0, rows)).json();
    expect(receipt).toMatchObject({ accepted: 2, rejected: [{ line: 2, code: 'row-too-large' }] });
  });

  it('rejects a body over the limit before it is sent', async () => {
    const api = await startApi({ config: { maxBodyBytes: MEGABYTE } });
    const { id } = await api.create();
    const { answer } = rawPost(api, id, 'part=0', [`Content-Length: ${2 * MEGABYTE}`]);
    await until(() => answer().includes('\r\n\r\n{'));
    expect(answer()).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer()).toContain(`"limitBytes":${MEGABYTE}`);
  });

  it('rejects a body over the limit without a Content-Length', async () => {
    const api = await startApi({ config: { maxBodyBytes: MEGABYTE } });
    const { id } = await api.create();
    const chunk = Buffer.from(linesOf(makeRows(2000)));
    let sent = 0;
    const body = new ReadableStream({
      pull(controller) {
        sent += chunk.length;
        if (sent > 3 * MEGABYTE) controller.close();
        else controller.enqueue(chunk);
      },
    });
    const response = await post(api, id, 'part=0', 'application/x-ndjson', body);
    expect(response.status).toBe(413);
    expect((await response.json()).code).toBe('body-too-large');
  });

  it('counts the bytes of a compressed body after decompression', async () => {
    const api = await startApi({ config: { maxBodyBytes: MEGABYTE } });
    const { id } = await api.create();
    const bomb = gzipSync(Buffer.alloc(200 * MEGABYTE, '\n'));
    expect(bomb.length).toBeLessThan(MEGABYTE);
    const response = await post(api, id, 'part=0', 'application/x-ndjson', bomb, {
      'content-encoding': 'gzip',
    });
    expect(response.status).toBe(413);
    expect((await response.json()).code).toBe('body-too-large');
  });

  it('ends a stalled body, and the same part can be sent again', async () => {
    const api = await startApi({ limits: { bodyStallMs: 100, lingerMs: 100 } });
    const { id } = await api.create();
    const { socket, answer } = rawPost(api, id, 'part=0', ['Content-Length: 1000']);
    socket.write('{"text":"one"}\n');
    await once(socket, 'close');
    expect(answer()).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer()).toContain('"code":"body-stalled"');
    expect((await api.send(id, 0, makeRows(3))).status).toBe(201);
  });

  it('keeps the connection of a large body that was rejected unread', async () => {
    const api = await startApi({ limits: { lingerMs: 100 } });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const upload = async () => {
      const upload = request(`${api.url}/v1/runs/r0/rows?part=0`, { method: 'POST', agent });
      upload.setHeader('content-type', 'application/x-ndjson');
      upload.end(Buffer.alloc(3 * 1024 * 1024, ' '));
      const [answer] = (await once(upload, 'response')) as [IncomingMessage];
      answer.resume();
      await once(answer, 'close');
      return { status: answer.statusCode, reusedSocket: upload.reusedSocket };
    };
    expect(await upload()).toEqual({ status: 404, reusedSocket: false });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await upload()).toEqual({ status: 404, reusedSocket: true });
  });

  it('ends a body that arrives too slowly, however regularly', async () => {
    const api = await startApi({ limits: { bodyStallMs: 500, lingerMs: 100 } });
    const { id } = await api.create();
    const { socket, answer } = rawPost(api, id, 'part=0', ['Content-Length: 100000']);
    const drip = setInterval(() => socket.write('x'), 20);
    await once(socket, 'data');
    clearInterval(drip);
    await once(socket, 'close');
    expect(answer()).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer()).toContain('fewer than 1024 bytes of the body arrived in 0.5 s');
  });

  it('accepts a slow body, and does not count the time in which it is not read', async () => {
    // Three batches fit; the others wait for a worker longer than the stall limit.
    const api = await startApi({ limits: { bodyStallMs: 300 }, budgetBytes: 60_000 });
    const { id } = await api.create();
    const rows = makeRows(60).map((row) => ({ ...row, text: row.text.padEnd(1500, ' and on') }));
    const body = new ReadableStream({
      async pull(controller) {
        const row = rows.shift();
        if (row === undefined) return controller.close();
        await new Promise((resolve) => setTimeout(resolve, 20));
        controller.enqueue(Buffer.from(linesOf([row])));
      },
    });
    const sent = post(api, id, 'part=0', 'application/x-ndjson', body);
    await until(() => api.collecting.credits.waiting > 0);
    await new Promise((resolve) => setTimeout(resolve, 600));
    await startHashWorker(api.redis);
    const response = await sent;
    expect(await response.json()).toMatchObject({ accepted: 60 });
  });
});

describe('an interrupted upload', () => {
  it('is continued by sending the part again', async () => {
    const api = await startApi();
    await startHashWorker(api.redis);
    const { id } = await api.create();
    const rows = makeRows(6000);
    const bytes = Buffer.from(linesOf(rows));
    const { socket } = rawPost(api, id, 'part=0', [`Content-Length: ${bytes.length}`]);
    socket.write(bytes.subarray(0, bytes.length / 2));
    const run = api.collecting.runs.get(id);
    await until(() => run.info().rows.accepted > 1000);
    socket.destroy();
    await until(
      async () => (await api.connections()) === 0 || api.logged.some((line) => line.brokenOff === true),
    );
    const begun = run.info().batches.total;
    expect(run.info().parts).toBe(0);
    await until(async () => (await api.send(id, 0, rows)).status === 201);
    expect(run.info()).toMatchObject({ rows: { accepted: 6000 }, batches: { total: 600 } });
    expect(begun).toBeLessThan(600);
    expect(await finish(api, id)).toEqual(rows.map((row) => [row.id, true]));
  });

  it('is a conflict when it is continued with other rows', async () => {
    const api = await startApi();
    const { id } = await api.create();
    const bytes = Buffer.from(linesOf(makeRows(6000)));
    const { socket } = rawPost(api, id, 'part=0', [`Content-Length: ${bytes.length}`]);
    socket.write(bytes.subarray(0, bytes.length / 2));
    await until(() => api.collecting.runs.get(id).info().rows.accepted > 1000);
    socket.destroy();
    let problem: { code?: string } = {};
    await until(async () => {
      problem = await (await api.send(id, 0, makeRows(6000, 1))).json();
      return problem.code !== 'part-in-progress';
    });
    expect(problem.code).toBe('part-conflict');
    const shorter = await api.send(id, 0, makeRows(10));
    expect((await shorter.json()).code).toBe('part-conflict');
  });

  it('holds neither memory nor credit', async () => {
    const api = await startApi({ waits: true, budgetBytes: 100_000 });
    const { id } = await api.create();
    const bytes = Buffer.from(linesOf(makeRows(2000)));
    const { socket } = rawPost(api, id, 'part=0', [`Content-Length: ${bytes.length + 1}`]);
    socket.write(bytes);
    await until(() => api.collecting.credits.waiting === 1);
    socket.destroy();
    await until(() => api.collecting.credits.waiting === 0);
    const stored = api.collecting.runs.get(id).info().batches.total;
    await api.call('DELETE', `/v1/runs/${id}`);
    expect(stored).toBeGreaterThan(0);
    expect(api.collecting.credits.usedBytes).toBe(0);
  });
});

describe('an upload that is faster than the workers', () => {
  it('is slowed down, with bounded Redis memory, and continues as results are stored', async () => {
    const api = await startApi({ budgetBytes: 500_000, shardBytes: 100_000 });
    const { id } = await api.create({ batchRows: 20 });
    const rows = makeRows(10_000);
    const bytes = Buffer.from(linesOf(rows.map((row) => ({ ...row, text: row.text.repeat(100) }))));
    let sent = 0;
    const body = new ReadableStream({
      pull(controller) {
        if (sent >= bytes.length) return controller.close();
        controller.enqueue(bytes.subarray(sent, sent + 65_536));
        sent += 65_536;
      },
    });
    const upload = post(api, id, 'part=0', 'application/x-ndjson', body);
    await until(() => api.collecting.credits.waiting === 1);
    let before = -1;
    await until(async () => {
      const stands = before === sent;
      before = sent;
      if (!stands) await new Promise((resolve) => setTimeout(resolve, 200));
      return stands;
    });
    expect(sent).toBeLessThan(bytes.length / 2);
    expect(api.collecting.credits.usedBytes).toBeLessThanOrEqual(500_000);
    await startHashWorker(api.redis);
    expect(await (await upload).json()).toMatchObject({ accepted: 10_000 });
    await api.call('POST', `/v1/runs/${id}/seal`);
    expect((await api.completed(id)).rows).toEqual({ accepted: 10_000, rejected: 0, done: 10_000 });
    expect(api.collecting.credits.usedBytes).toBe(0);
  });

  it('ends immediately when its run is cancelled', async () => {
    const api = await startApi({ waits: true, budgetBytes: 100_000 });
    const { id } = await api.create();
    const upload = api.send(id, 0, makeRows(2000));
    await until(() => api.collecting.credits.waiting === 1);
    await api.call('POST', `/v1/runs/${id}/cancel`);
    const response = await upload;
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ code: 'run-ended', state: 'cancelled' });
    expect(api.collecting.credits.usedBytes).toBe(0);
  });
});
