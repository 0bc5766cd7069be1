/** Asks Sentinels and cluster nodes which server is the primary now. */

import { Redis, type RedisOptions } from 'ioredis';
import type { RedisAddress, RedisEndpoint } from '../../process/config/redis-url.ts';

/** Maximum wait for one Sentinel or node. */
const ASK_MS = 1000;

/** The primary, and the Sentinels or nodes that can be asked next time. */
export interface FoundPrimary {
  primary: RedisEndpoint;
  known: readonly RedisEndpoint[];
}

/** Credentials and TLS for a temporary connection. */
export type AskOptions = Pick<RedisOptions, 'username' | 'password' | 'tls' | 'family'>;

/**
 * The primary according to one Sentinel. Sentinels without a password of their own accept no credentials, so these are sent only
 * on demand.
 * @throws a connection error, or an error that starts with `NOPRIMARY`
 */
export async function askSentinel(
  sentinel: RedisEndpoint,
  { primary: name = '', endpoints }: RedisAddress,
  { username, password, ...open }: AskOptions,
): Promise<FoundPrimary> {
  const find = async (redis: Redis): Promise<FoundPrimary> => {
    const found = (await redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)) as [string, string] | null;
    if (found !== null) return { primary: { host: found[0], port: Number(found[1]) }, known: endpoints };
    const all = (await redis.call('SENTINEL', 'MASTERS')) as string[][];
    const names = all.map((fields) => `"${fields[fields.indexOf('name') + 1]}"`).join(', ');
    throw new Error(`NOPRIMARY the Sentinels know no primary "${name}"; they know ${names || 'none'}`);
  };
  return await ask(sentinel, open, find).catch((error: Error) => {
    if (!error.message.startsWith('NOAUTH')) throw error;
    return ask(sentinel, { ...open, username, password }, find);
  });
}

/**
 * The primary of the slot of the prefix according to one node. A node on the smaller side of a network partition reports that the
 * cluster is down, and is not believed.
 * @throws a connection error, or an error that starts with `CLUSTERDOWN`
 */
export async function askNode(
  node: RedisEndpoint,
  { prefix = '' }: RedisAddress,
  options: AskOptions,
): Promise<FoundPrimary> {
  return await ask(node, options, async (redis) => {
    const [info, slot, rows] = await Promise.all([
      redis.cluster('INFO'),
      redis.cluster('KEYSLOT', `{${prefix}}`),
      // A row: first slot, last slot, primary, replicas; a node: host, port, id.
      redis.cluster('SLOTS'),
    ]);
    const [, , serving] = rows.find(([first, last]) => first <= slot && slot <= last) ?? [];
    if (!/^cluster_state:ok/m.test(info as string) || serving === undefined)
      throw new Error(`CLUSTERDOWN according to ${node.host}:${node.port}`);
    // A node that does not know its own name reports an empty one.
    const nodes = rows.flatMap(([, , ...nodes]) =>
      nodes.map(([host, port]) => ({ host: host || node.host, port })),
    );
    const [host, port] = serving;
    return { primary: { host: host || node.host, port }, known: nodes };
  });
}

/** Runs `use` with a temporary connection. @throws the reason for which it could not be opened */
async function ask<Answer>(
  { host, port }: RedisEndpoint,
  options: AskOptions,
  use: (redis: Redis) => Promise<Answer>,
): Promise<Answer> {
  const redis = new Redis({
    ...options,
    host,
    port,
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: ASK_MS,
    commandTimeout: ASK_MS,
    enableReadyCheck: false,
    disableClientInfo: true,
    maxRetriesPerRequest: 0,
  });
  let reason: Error | undefined;
  redis.on('error', (error: Error) => {
    reason = error;
  });
  try {
    await redis.connect().catch((error: Error) => {
      throw reason ?? error;
    });
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}
