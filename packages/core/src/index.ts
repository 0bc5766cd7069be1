/** The public surface of `@embedmill/core`. */

export * from './cache/index.ts';
export { Collector, type CollectorParts } from './collector/collector.ts';
export * from './exchange/index.ts';
export * from './fleet/index.ts';
export { Credits } from './flow/credits.ts';
export * from './interactive/index.ts';
export { createLogger } from './lifecycle/logger.ts';
export * from './local.ts';
export * from './metrics/index.ts';
export * from './queue/index.ts';
export { RedisClock } from './redis/clock.ts';
export { type ConnectionManner, connect, whenReady } from './redis/connect.ts';
export { isRedisFault } from './redis/faults.ts';
export { infoNumber } from './redis/info.ts';
export { type Keys, keysOf } from './redis/keys.ts';
export { Lease } from './redis/lease.ts';
export { MemoryGate } from './redis/memory-gate.ts';
export * from './runs/index.ts';
export * from './tracing/index.ts';
