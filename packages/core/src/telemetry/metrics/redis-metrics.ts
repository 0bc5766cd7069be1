/** Memory and durability of Redis for Prometheus; the producer registers it, because one process is enough to ask. */

import type { Registry } from 'prom-client';
import { copyCounter, readGauge, sharedAnswer } from './series.ts';

/** The series of one page share one INFO. */
const INFO_MS = 500;

/** What is asked of the connection. */
export interface RedisInfo {
  /** The text of INFO. */
  info(): Promise<string>;
}

/** Registers `embedmill_redis_*`. All but `_up` are absent while Redis does not answer. */
export function registerRedisMetrics(registry: Registry, redis: RedisInfo): void {
  const info = sharedAnswer(INFO_MS, () => redis.info().then(parseInfo));
  const gauge = (name: string, help: string, read: (fields: Map<string, string>) => number) =>
    readGauge(registry, { name: `embedmill_redis_${name}`, help }, async () => {
      const fields = await info();
      return fields === undefined ? undefined : read(fields);
    });
  readGauge(registry, { name: 'embedmill_redis_up', help: 'Whether Redis answers.' }, async () =>
    (await info()) === undefined ? 0 : 1,
  );
  gauge('memory_used_bytes', 'Memory that Redis uses.', (fields) => Number(fields.get('used_memory')));
  gauge(
    'memory_limit_bytes',
    'Memory that Redis may use: maxmemory, or the memory of its machine without one.',
    (fields) => {
      return Number(fields.get('maxmemory')) || Number(fields.get('total_system_memory'));
    },
  );
  gauge('clients', 'Connections to Redis.', (fields) => Number(fields.get('connected_clients')));
  gauge(
    'aof_ok',
    'Whether the last write to the append-only file went well; 1 without such a file.',
    (fields) => {
      return fields.get('aof_last_write_status') === 'err' ? 0 : 1;
    },
  );
  copyCounter(
    registry,
    { name: 'embedmill_redis_commands_total', help: 'Commands that Redis carried out, of all its users.' },
    async () => numberOf(await info(), 'total_commands_processed'),
  );
  copyCounter(
    registry,
    {
      name: 'embedmill_redis_evicted_keys_total',
      help: 'Keys that Redis threw away for want of memory; anything but 0 means lost batches, use noeviction.',
    },
    async () => numberOf(await info(), 'evicted_keys'),
  );
}

function numberOf(fields: Map<string, string> | undefined, name: string): number | undefined {
  return fields === undefined ? undefined : Number(fields.get(name) ?? 0);
}

/** Lines `name:value` of INFO; titles and empty lines are left out. */
function parseInfo(text: string): Map<string, string> {
  const lines = text.split('\r\n').filter((line) => line.includes(':'));
  return new Map(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1)];
    }),
  );
}
