/** The vector cache, shared by runs and workers. */

export { RedisVectorCache, type RedisVectorCacheDeps } from './redis.ts';
export type { CachedVector, CacheOptions, VectorCache } from './types.ts';
