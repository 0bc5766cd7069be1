/** Connections to Redis that are closed while Redis is away. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import { connect, connectionError, cutOff } from '@embedmill/core/redis';
import { createLogger } from '@embedmill/core/telemetry';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort, redisProcess } from '../support/redis-process.ts';

const log = createLogger({ logLevel: 'silent' }, 'test');

/** The port of a server that accepts connections and never replies, as a frozen Redis. */
async function silentServer(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as { port: number }).port;
}

describe('a connection that is cut off', () => {
  it('fails the commands that wait for a Redis that refuses connections', async () => {
    const redis = connect(`redis://127.0.0.1:${await freePort()}`, 'patient', log);
    const command = redis.get('key');
    // Not `once` of node:events, which fails at the error before.
    await new Promise((resolve) => redis.once('reconnecting', resolve));
    cutOff(redis);
    await expect(command).rejects.toThrow(/closed/);
    expect(redis.status).toBe('end');
  });

  it('fails the commands that wait for a Redis that does not reply', async () => {
    const redis = connect(`redis://127.0.0.1:${await silentServer()}`, 'patient', log);
    const command = redis.get('key');
    await once(redis, 'connect');
    cutOff(redis);
    await expect(command).rejects.toThrow(/closed/);
  });

  it('fails a blocking read that was cut by a Redis that then requires a password', async () => {
    const server = await redisProcess();
    await server.start();
    const redis = connect(server.url, 'patient', log);
    const read = redis.xread('BLOCK', 0, 'STREAMS', 'stream', '$');
    await once(redis, 'ready');
    await server.ask(async (client) => {
      await expect.poll(() => client.info('clients')).toMatch(/^blocked_clients:1/m);
      await client.config('SET', 'requirepass', 'secret');
      await client.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    });
    await expect.poll(() => connectionError(redis)?.message).toMatch(/NOAUTH/);
    cutOff(redis);
    await expect(read).rejects.toThrow(/closed/);
  });
});
