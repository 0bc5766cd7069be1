/** Registers the Prometheus metrics for memory and durability of Redis; only the producer exports them. */

import type { Registry } from 'prom-client';
import { cachedQuery, copyCounter, readGauge } from './series.ts';

/** Cache time of INFO, so that all series of one scrape share one call. */
const INFO_MS = 500;

/** The part of a Redis connection that the metrics need. */
export interface RedisInfo {
  /** Returns the text of the command INFO. */
  info(): Promise<string>;
}

/** Registers `embedmill_redis_*`. All series except `_up` are absent while Redis is unreachable. */
export function registerRedisMetrics(registry: Registry, redis: RedisInfo): void {
  const info = cachedQuery(INFO_MS, () => redis.info().then(parseInfo));
  const gauge = (name: string, help: string, read: (fields: Map<string, string>) => number) =>
    readGauge(registry, { name: `embedmill_redis_${name}`, help }, async () => {
      const fields = await info();
      return fields === undefined ? undefined : read(fields);
    });
  readGauge(
    registry,
    { name: 'embedmill_redis_up', help: 'Whether Redis is reachable: 1 or 0.' },
    async () => ((await info()) === undefined ? 0 : 1),
  );
  gauge('memory_used_bytes', 'Memory used by Redis.', (fields) => Number(fields.get('used_memory')));
  gauge(
    'memory_limit_bytes',
    'Memory limit of Redis: maxmemory, or the memory of its machine if maxmemory is unset.',
    (fields) => {
      return Number(fields.get('maxmemory')) || Number(fields.get('total_system_memory'));
    },
  );
  gauge('clients', 'Connections to Redis.', (fields) => Number(fields.get('connected_clients')));
  gauge(
    'aof_ok',
    'Whether the last write to the append-only file succeeded; 1 without such a file.',
    (fields) => {
      return fields.get('aof_last_write_status') === 'err' ? 0 : 1;
    },
  );
  copyCounter(
    registry,
    { name: 'embedmill_redis_commands_total', help: 'Commands processed by Redis, from all clients.' },
    async () => numberOf(await info(), 'total_commands_processed'),
  );
  copyCounter(
    registry,
    {
      name: 'embedmill_redis_evicted_keys_total',
      help: 'Keys evicted by Redis; a value above 0 means lost batches, use the noeviction policy.',
    },
    async () => numberOf(await info(), 'evicted_keys'),
  );
}

function numberOf(fields: Map<string, string> | undefined, name: string): number | undefined {
  return fields === undefined ? undefined : Number(fields.get(name) ?? 0);
}

/** Parses the `name:value` lines of INFO; section titles and empty lines are skipped. */
function parseInfo(text: string): Map<string, string> {
  const lines = text.split('\r\n').filter((line) => line.includes(':'));
  return new Map(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1)];
    }),
  );
}
