/** Redis servers that replace each other: a primary and a replica with Sentinels, and a cluster. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { until } from './api.ts';
import { temporaryFolder } from './folder.ts';
import { freePort, type RedisProcess, redisProcess, serverCommand } from './redis-process.ts';

/** Name of the primary for the Sentinels. */
export const PRIMARY_NAME = 'embedmill';

/** Time after which a silent server counts as dead. */
const DOWN_AFTER_MS = 1500;

/** The bus of a cluster node listens on its port plus 10,000. */
const MAX_CLUSTER_PORT = 55_535;

/** Servers, one of which is the primary. */
export interface RedisGroup {
  /** URL for the product. */
  url: string;
  servers: readonly RedisProcess[];
  /** Connection to one of the Sentinels. */
  sentinel?: Redis;
  /** The server that is the primary now, for keys with this prefix. */
  primary(prefix: string): Promise<RedisProcess>;
}

/** A primary, a replica and three Sentinels; they end with the test. */
export async function startSentinels(): Promise<RedisGroup> {
  const first = await redisProcess();
  await first.start();
  const second = await redisProcess(['--replicaof', '127.0.0.1', String(first.port)]);
  await second.start();
  await until(async () => /master_link_status:up/.test(await infoOf(second, 'replication')));
  const ports = [await freePort(), await freePort(), await freePort()];
  for (const port of ports) await startSentinel(port, first.port);
  const sentinel = clientOf(ports[0]!);
  const field = async (name: string) => {
    const fields = (await sentinel.call('SENTINEL', 'MASTER', PRIMARY_NAME)) as string[];
    return fields[fields.indexOf(name) + 1];
  };
  await until(
    async () => (await field('num-other-sentinels')) === '2' && (await field('num-slaves')) === '1',
    60_000,
  );
  const servers = [first, second];
  return {
    url: `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(',')}/${PRIMARY_NAME}`,
    servers,
    sentinel,
    primary: async () => {
      const port = Number(await field('port'));
      return servers.find((server) => server.port === port)!;
    },
  };
}

/** A Sentinel of a primary, on 127.0.0.1; it ends with the test. */
export async function startSentinel(port: number, primaryPort: number): Promise<void> {
  const folder = temporaryFolder();
  const path = join(folder, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${PRIMARY_NAME} 127.0.0.1 ${primaryPort} 2`,
    `sentinel down-after-milliseconds ${PRIMARY_NAME} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${PRIMARY_NAME} 10000`,
  ];
  writeFileSync(path, `${lines.join('\n')}\n`);
  endWithTest(spawn(await serverCommand(), [path, '--sentinel'], { stdio: 'ignore' }));
  const sentinel = clientOf(port);
  await until(async () => (await sentinel.ping().catch(() => '')) === 'PONG');
}

/** A cluster of three primaries with a third of the slots each, and a replica of each; it ends with the test. */
export async function startCluster(): Promise<RedisGroup> {
  const servers: RedisProcess[] = [];
  for (let i = 0; i < 6; i += 1) {
    const server = await clusterNode();
    await server.start();
    servers.push(server);
  }
  const clients = servers.map(({ port }) => clientOf(port));
  const primaries = clients.slice(0, 3);
  for (const [i, client] of primaries.entries()) {
    const [start, end] = [Math.ceil((i * 16_384) / 3), Math.ceil(((i + 1) * 16_384) / 3)];
    await client.cluster('ADDSLOTS', ...Array.from({ length: end - start }, (_, n) => start + n));
  }
  for (const { port } of servers.slice(1)) await clients[0]!.cluster('MEET', '127.0.0.1', port);
  const knowsAll = async (client: Redis) => /cluster_known_nodes:6/.test(await client.cluster('INFO'));
  for (const client of clients) await until(() => knowsAll(client), 60_000);
  for (const [i, client] of clients.slice(3).entries()) {
    await client.cluster('REPLICATE', await primaries[i]!.cluster('MYID'));
  }
  for (const client of clients) {
    await until(async () => /cluster_state:ok/.test(await client.cluster('INFO')), 60_000);
  }
  for (const server of servers.slice(3)) {
    await until(async () => /master_link_status:up/.test(await infoOf(server, 'replication')), 60_000);
  }
  return {
    url: `redis+cluster://127.0.0.1:${servers[0]!.port},127.0.0.1:${servers[1]!.port}`,
    servers,
    primary: async (prefix) => {
      for (const client of clients) {
        const slot = await client.cluster('KEYSLOT', `{${prefix}}`).catch(() => null);
        if (slot === null) continue;
        const rows = await client.cluster('SLOTS');
        const row = rows.find(([start, end]) => start <= slot && slot <= end);
        // During a failover, a node may not know who has the slot.
        if (row === undefined) continue;
        return servers.find((server) => server.port === row[2]![1])!;
      }
      throw new Error('no node of the cluster knows the primary');
    },
  };
}

/** A server in cluster mode that does not know any other. */
export async function clusterNode(): Promise<RedisProcess> {
  for (;;) {
    const node = await redisProcess([
      '--cluster-enabled',
      'yes',
      '--cluster-node-timeout',
      String(DOWN_AFTER_MS),
    ]);
    if (node.port <= MAX_CLUSTER_PORT) return node;
  }
}

/** Ends the replication of a server and prevents it from starting again: its later writes are lost with it. */
export async function endReplication(primary: RedisProcess): Promise<void> {
  await primary.ask(async (redis) => {
    await redis.call('ACL', 'SETUSER', 'default', '-psync', '-sync', '-replconf');
    await redis.client('KILL', 'TYPE', 'replica');
    await until(async () => /connected_slaves:0/.test(await redis.info('replication')));
  });
}

/** Part of a server's INFO. */
function infoOf(server: RedisProcess, part: string): Promise<string> {
  return server.ask((redis) => redis.info(part));
}

/** A connection that fails its commands while the server is down. */
function clientOf(port: number): Redis {
  const redis = new Redis(port, { maxRetriesPerRequest: 0, retryStrategy: () => 50 });
  redis.on('error', () => {});
  onTestFinished(() => redis.disconnect());
  return redis;
}

function endWithTest(child: ChildProcess): void {
  onTestFinished(async () => {
    const exited = once(child, 'exit');
    if (child.kill('SIGKILL')) await exited;
  });
}
