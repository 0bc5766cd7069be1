/** A Redis that replies LOADING for seconds and then has older data. */

import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { until } from '../../support/api.ts';
import { expectWhole, startRunInWork } from '../../support/mill.ts';
import { knowsSetting, redisProcess } from '../../support/redis-process.ts';

const SECOND = 1000;

/** The first bytes of the server's reply to a line, or the error. */
function replyTo(port: number, line: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${line}\r\n`));
    socket.once('data', (chunk) => {
      socket.destroy();
      resolve(chunk.toString());
    });
    socket.once('error', (error) => resolve(error.message));
  });
}

it('a Redis that loads older data slowly is waited for, and the run loses no row', async ({ skip }) => {
  // Redis 6.2 replies LOADING only every 2 MB of its data.
  if (!(await knowsSetting('loading-process-events-interval-bytes', '1024')))
    return skip('this redis-server does not load slowly enough');
  const slowly = ['--key-load-delay', '40000', '--loading-process-events-interval-bytes', '1024'];
  const redis = await redisProcess(['--appendonly', 'no', ...slowly]);
  await redis.start();
  const { producer, run, rows } = await startRunInWork({ url: redis.url, prefix: 'loads' });
  await redis.ask((client) => client.save());
  const { done } = (await producer.info(run)).rows;
  await until(async () => (await producer.info(run)).rows.done > done);
  await redis.kill();
  const started = redis.start();
  await until(async () => /^-LOADING/.test(await replyTo(redis.port, 'PING')));
  expect((await producer.call('GET', '/readyz', {}, 4 * SECOND)).status).toBe(503);
  await started;
  await expectWhole({ producer, run, rows });
});
