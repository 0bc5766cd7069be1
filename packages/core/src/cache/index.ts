/** Vectors of texts that come again, over runs and workers. */

export { RedisVectorCache, type RedisVectorCacheParts } from './redis.ts';
export type { CachedVector, CacheTerms, VectorCache } from './types.ts';
