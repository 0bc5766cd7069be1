/** 10,000 bad requests over raw sockets: each is answered or closed, and the producer stays up. */

import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';
import { expectWhole, sentRows, startProducerProcess, startWorkerProcess } from '../../support/mill.ts';
import { residentBytes } from '../../support/process.ts';
import { testRedis } from '../../support/redis.ts';

const REQUESTS = 10_000;
const AT_ONCE = 20;

const method = fc.constantFrom(
  'GET',
  'POST',
  'DELETE',
  'PUT',
  'PATCH',
  'OPTIONS',
  'HEAD',
  'TRACE',
  'get',
  '',
);
const target = fc.oneof(
  fc.constantFrom(
    '/v1/runs',
    '/v1/runs/RUN',
    '/v1/runs/RUN/rows?part=1',
    '/v1/runs/RUN/rows?part=-1',
    '/v1/runs/RUN/rows?part=1e99&part=2',
    '/v1/runs/RUN/results?format=../../etc/passwd',
    '/v1/runs/..%2f..%2fetc%2fpasswd',
    '/v1/runs/%00/seal',
    '/v1/runs/%ff%fe/cancel',
    '/v1/runs?limit=999999999999&after[a]=b&state=__proto__',
    '//../../../etc/passwd',
    '*',
  ),
  fc.string({ maxLength: 60 }).map((text) => `/v1/runs/${text.replaceAll(/[\r\n ]/g, '_')}`),
);
const header = fc.oneof(
  fc.constantFrom(
    'Content-Type: application/json',
    'Content-Type: application/x-ndjson',
    'Content-Type: text/csv; charset=latin1',
    'Content-Type: ;;;',
    'Content-Encoding: gzip',
    'Content-Encoding: br, gzip',
    'Range: bytes=9-1,-,5-99999999999999999999',
    'Expect: 100-continue',
    'Content-Length: -5',
    'Content-Length: 99999999999999999999',
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: chunked, identity',
    'If-None-Match: *',
    `X-Request-Id: ${'x'.repeat(500)}`,
    `X-Large: ${'x'.repeat(20_000)}`,
  ),
  fc.string({ maxLength: 40 }).map((text) => `X-${text}`),
);
const body = fc.oneof(
  fc
    .constantFrom(
      '['.repeat(30_000),
      `{"name":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`,
      '{"__proto__":{"x":1},"constructor":{"prototype":{"y":1}}}',
      `{${Array.from({ length: 5000 }, (_, i) => `"k${i}":${i}`).join(',')}}`,
      '{"id":"a","text":"b"}\n{"id":"a"\n',
      '{"batchRows":1e308,"model":[],"precision":{}}',
      '\ud800',
    )
    .map((text) => Buffer.from(text)),
  fc.constant(gzipSync(Buffer.alloc(4 * 1024 * 1024))),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
);
/** Broken HTTP, handled by Node's parser. */
const broken = fc.record({
  method,
  target,
  headers: fc.array(header, { maxLength: 6 }),
  body,
  hasLength: fc.boolean(),
  cutAt: fc.option(fc.nat({ max: 400 }), { freq: 4 }),
});
/** Valid HTTP with bad content, handled by our code. */
const sound = fc.record({
  method: fc.constantFrom('GET', 'POST', 'POST', 'POST', 'PUT'),
  target: fc.constantFrom(
    '/v1/runs',
    '/v1/runs/RUN/rows?part=1',
    '/v1/runs/RUN/rows?part=2&textField=__proto__',
    '/v1/runs/RUN/rows?part=-1',
    '/v1/runs/RUN/retry',
    '/v1/runs/RUN/results?format=npy',
    '/v1/runs/%00/seal',
    '/v1/runs?limit=999999999999&after[a]=b&state=__proto__',
  ),
  headers: fc
    .tuple(
      fc.constantFrom(
        'application/json',
        'application/x-ndjson',
        'text/csv',
        'text/tab-separated-values',
        ';;;',
      ),
      fc.constantFrom('identity', 'identity', 'gzip', 'br'),
    )
    .map(([type, encoding]) => [`Content-Type: ${type}`, `Content-Encoding: ${encoding}`]),
  body,
  hasLength: fc.constant(true),
  cutAt: fc.constant(null),
});
const request = fc.oneof(broken, sound, sound);

/** Sends bytes; resolves with the start of the response when the server closes or is silent for 1 s. */
function exchange(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.end(bytes));
    const settle = () => {
      socket.destroy();
      resolve(answer.slice(0, 100));
    };
    socket.setTimeout(1000, settle);
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1', 0, 100);
    });
    socket.on('error', () => {});
    socket.once('close', settle);
  });
}

describe(`${REQUESTS} bad requests`, () => {
  it('neither crash the producer nor make it grow', async () => {
    const redis = testRedis();
    const producer = await startProducerProcess(redis, temporaryFolder());
    await producer.ready();
    const run = await producer.create();
    const port = Number(new URL(producer.url).port);
    const samples = fc.sample(request, { numRuns: REQUESTS, seed: 1 });
    const statuses: Record<string, number> = {};
    const sendAll = async (some: typeof samples) => {
      for (let start = 0; start < some.length; start += AT_ONCE) {
        const answers = some.slice(start, start + AT_ONCE).map((sample) => {
          const length = sample.hasLength ? [`Content-Length: ${sample.body.byteLength}`] : [];
          const lines = ['Host: x', 'Connection: close', ...length, ...sample.headers].join('\r\n');
          const head = `${sample.method} ${sample.target.replace('RUN', run)} HTTP/1.1\r\n${lines}\r\n\r\n`;
          const bytes = Buffer.concat([Buffer.from(head), sample.body]);
          return exchange(port, bytes.subarray(0, sample.cutAt ?? bytes.byteLength));
        });
        for (const answer of await Promise.all(answers)) {
          const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 'none';
          statuses[status] = (statuses[status] ?? 0) + 1;
        }
      }
    };
    // The first thousand requests cause growth that any use causes: compiled code, larger buffers.
    await sendAll(samples.slice(0, 1000));
    const before = residentBytes(producer.process.pid);
    await sendAll(samples.slice(1000));
    console.log(JSON.stringify({ requests: REQUESTS, statuses }));
    expect(statuses['500'] ?? 0).toBe(0);
    expect((await producer.call('GET', '/healthz')).status).toBe(200);
    expect(residentBytes(producer.process.pid) - before).toBeLessThan(150 * 1024 * 1024);

    await startWorkerProcess(redis);
    const whole = await producer.create();
    await producer.send(whole, 0, sentRows(20));
    await producer.seal(whole);
    await expectWhole({ producer, run: whole, rows: sentRows(20) });
  });
});
