/** Hundreds of clients that send very slowly or too many headers: other clients are served. */

import { connect, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../../support/api.ts';
import { temporaryFolder } from '../../support/folder.ts';
import {
  expectWhole,
  type ProducerProcess,
  sentRows,
  startProducerProcess,
  startWorkerProcess,
} from '../../support/mill.ts';
import { residentBytes } from '../../support/process.ts';
import { testRedis } from '../../support/redis.ts';

const SECOND = 1000;
const MEGABYTE = 1024 * 1024;
const DRIPPING_HEADERS = 300;
const DRIPPING_BODIES = 100;
const FLOODS = 200;

/** Opens a connection that sends `first` and then one byte per second; it ends with the test. */
function drip(producer: ProducerProcess, first: string): Socket {
  const socket = connect(Number(new URL(producer.url).port), '127.0.0.1', () => socket.write(first));
  socket.on('error', () => {});
  // The server's last bytes must be read, or the close is not reported.
  socket.resume();
  const timer = setInterval(() => socket.write('x'), SECOND);
  socket.once('close', () => clearInterval(timer));
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** Status of the response to a request with this many bytes of headers; 0 when there was none. */
function flood(producer: ProducerProcess, bytes: number): Promise<number> {
  return new Promise((resolve) => {
    const lines = `X-Flood: ${'x'.repeat(90)}\r\n`.repeat(Math.ceil(bytes / 100));
    let answer = '';
    const socket = connect(Number(new URL(producer.url).port), '127.0.0.1', () =>
      socket.write(`GET /v1/runs HTTP/1.1\r\nHost: x\r\n${lines}\r\n`),
    );
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.once('close', () => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0)));
  });
}

it('slow headers, slow bodies and floods of headers do not keep other clients from being served', async () => {
  const redis = testRedis();
  const producer = await startProducerProcess(redis, temporaryFolder());
  await producer.ready();
  const run = await producer.create();
  const before = residentBytes(producer.process.pid);
  const headers = Array.from({ length: DRIPPING_HEADERS }, () =>
    drip(producer, 'POST /v1/runs HTTP/1.1\r\nHost: x\r\nX-Slow: '),
  );
  const bodies = Array.from({ length: DRIPPING_BODIES }, (_, part) =>
    drip(
      producer,
      `POST /v1/runs/${run}/rows?part=${part} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nContent-Length: 100000\r\n\r\n{"text":"`,
    ),
  );
  const statuses = await Promise.all(Array.from({ length: FLOODS }, () => flood(producer, MEGABYTE)));
  // Answered, or closed while the client is still sending.
  expect(statuses.filter((status) => status !== 431 && status !== 0)).toEqual([]);

  expect((await producer.call('GET', '/healthz', {}, 5 * SECOND)).status).toBe(200);
  const rows = sentRows(100);
  await startWorkerProcess(redis);
  const other = await producer.create();
  expect((await producer.send(other, 0, rows)).status).toBe(201);
  await producer.seal(other);
  await expectWhole({ producer, run: other, rows });
  expect(residentBytes(producer.process.pid) - before).toBeLessThan(200 * MEGABYTE);

  const open = (sockets: readonly Socket[]) => sockets.filter(({ closed }) => !closed).length;
  // Headers have a minute (Node's headersTimeout, checked every 30 s), bodies two.
  await until(() => open(headers) === 0, 150 * SECOND);
  await until(() => open(bodies) === 0, 150 * SECOND);
  // Their parts can be sent by other clients.
  expect((await producer.send(run, 0, rows)).status).toBe(201);
});
