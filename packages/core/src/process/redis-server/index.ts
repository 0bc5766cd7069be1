/** The Redis a process uses when nobody gave it one: found or fetched, started privately, and gone when we are gone. */

export { findRedis, type RedisProgram } from './find.ts';
export type { PrivateRedisExit } from './private-redis.ts';
export { provideRedis } from './provide.ts';
export { type ResolvedRedis, type ResolveRedisOptions, resolveRedis } from './resolve.ts';
