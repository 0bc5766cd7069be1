/** Vectors of texts that come again, over runs and workers. */

export { RedisVectorCache, type RedisVectorCacheDeps } from './redis.ts';
export type { CachedVector, CacheTerms, VectorCache } from './types.ts';
