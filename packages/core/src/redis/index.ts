/** Redis (`@embedmill/core/redis`): keys, lease, queues, exchange, vector cache, fleet, interactive lane. */

export { assertUsableRedis } from './assert-usable.ts';
export * from './cache/index.ts';
export { RedisClock } from './clock.ts';
export { type ConnectionMode, connect, connectionError, cutOff, whenReady } from './connect.ts';
export * from './exchange/index.ts';
export * from './fleet/index.ts';
export { infoNumber } from './info.ts';
export * from './interactive/index.ts';
export { type Keys, keysOf } from './keys.ts';
export { Lease } from './lease.ts';
export * from './queue/index.ts';
