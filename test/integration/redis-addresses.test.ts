/** Servers that REDIS_URL does not fit are refused at start. */

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { assertUsableRedis } from '@embedmill/core/redis';
import { createLogger } from '@embedmill/core/telemetry';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';
import { startProducerProcess } from '../support/mill.ts';
import { clusterNode, PRIMARY_NAME, startSentinel } from '../support/redis-groups.ts';
import { freePort, redisProcess } from '../support/redis-process.ts';

const log = createLogger({ logLevel: 'silent' }, 'test');

describe('a server that does not fit REDIS_URL', () => {
  it('is refused with the form that does: a cluster node, a Sentinel, a single server', async () => {
    const node = await clusterNode();
    await node.start();
    await expect(assertUsableRedis(node.url, log)).rejects.toThrow(
      /a node of a Redis Cluster; use redis\+cluster/,
    );

    const single = await redisProcess();
    await single.start();
    await assertUsableRedis(single.url, log);
    await expect(assertUsableRedis(`redis+cluster://127.0.0.1:${single.port}#em`, log)).rejects.toThrow(
      /not part of a cluster; use redis:/,
    );
    await expect(assertUsableRedis(`redis+sentinel://127.0.0.1:${single.port}/x`, log)).rejects.toThrow(
      /not a Sentinel; use redis:/,
    );

    const port = await freePort();
    await startSentinel(port, single.port);
    await assertUsableRedis(`redis+sentinel://127.0.0.1:${port}/${PRIMARY_NAME}`, log);
    await expect(assertUsableRedis(`redis://127.0.0.1:${port}`, log)).rejects.toThrow(
      /a Redis Sentinel; use redis\+sentinel/,
    );
    await expect(assertUsableRedis(`redis+sentinel://127.0.0.1:${port}/other`, log)).rejects.toThrow(
      /the Sentinels know no primary "other"; they know "embedmill"/,
    );
  });

  it('is refused if it speaks plain text where the URL has TLS, or the reverse', async () => {
    const single = await redisProcess();
    await single.start();
    await expect(assertUsableRedis(`rediss://127.0.0.1:${single.port}`, log)).rejects.toThrow(
      /speaks plain text, not TLS; use redis:\/\//,
    );
    // Refuses the handshake, as a server without a common cipher does.
    const tls = createServer((socket) => {
      socket.once('data', (bytes) => {
        if (bytes[0] === 0x16) socket.write(Buffer.from([0x15, 3, 3, 0, 2, 2, 40]));
        socket.end();
      });
      socket.on('error', () => {});
    });
    tls.listen(0, '127.0.0.1');
    await once(tls, 'listening');
    onTestFinished(() => void tls.close());
    const { port } = tls.address() as AddressInfo;
    await expect(assertUsableRedis(`redis://127.0.0.1:${port}`, log)).rejects.toThrow(
      /speaks TLS; use rediss:\/\//,
    );
  });

  it('ends a producer at once', async () => {
    const node = await clusterNode();
    await node.start();
    await expect(startProducerProcess({ url: node.url, prefix: 'em' }, temporaryFolder())).rejects.toThrow(
      /use redis\+cluster/,
    );
  });

  it('does not end it when it does not respond', async () => {
    await assertUsableRedis(`redis://127.0.0.1:${await freePort()}`, log);
  });
});
