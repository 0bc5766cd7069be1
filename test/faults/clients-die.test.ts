/** Clients that die during an upload that waits for credit. */

import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { linesOf, until } from '../support/api.ts';
import { temporaryFolder } from '../support/folder.ts';
import { expectWhole, sentRows, startProducerProcess, startWorkerProcess } from '../support/mill.ts';
import { testRedis } from '../support/redis.ts';

it('a client that dies while it waits for credit can send its part again, and each row exists once', async () => {
  const redis = testRedis();
  const producer = await startProducerProcess(redis, temporaryFolder(), { EMBEDMILL_REDIS_BUDGET_MB: '1' });
  await producer.ready();
  const run = await producer.create();
  const rows = sentRows(3000).map(({ id, text }) => ({ id, text: `${text} ${'and so on '.repeat(100)}` }));
  const body = Buffer.from(linesOf(rows));
  const head = [
    `POST /v1/runs/${run}/rows?part=0 HTTP/1.1`,
    'Host: x',
    'Content-Type: application/x-ndjson',
    `Content-Length: ${body.byteLength}`,
  ];
  const socket = connect(Number(new URL(producer.url).port), '127.0.0.1');
  socket.on('error', () => {});
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  socket.write(body);
  const waiters = async () => {
    const metrics = await (await producer.call('GET', '/metrics')).text();
    return Number(/^embedmill_credit_waiters (\d+)/m.exec(metrics)?.[1]);
  };
  await until(async () => (await waiters()) > 0);
  socket.resetAndDestroy();

  const again = () =>
    producer.call(
      'POST',
      `/v1/runs/${run}/rows?part=0`,
      { headers: { 'content-type': 'application/x-ndjson' }, body },
      60_000,
    );
  // The producer does not read from the dead connection yet, so it does not know that it is dead.
  const refused = await again();
  expect(refused.status).toBe(409);
  expect(await refused.json()).toMatchObject({ code: 'part-in-progress' });
  await startWorkerProcess(redis);
  await until(async () => (await again()).status === 201);
  await producer.seal(run);
  await expectWhole({ producer, run, rows });
});
