/** The cache of vectors in Redis, shared by all workers of a fleet; off unless `EMBEDMILL_VECTOR_CACHE_MB` is set. */

import { createHash } from 'node:crypto';
import { hasVector, ROW_VERDICTS, treatmentOf } from '@embedmill/contract';
import type { Redis } from 'ioredis';
import type { Keys } from '../keys.ts';
import { FIND, KEEP } from './scripts.ts';
import type { CachedVector, CacheTerms, VectorCache } from './types.ts';

/** Little-endian u32 each: verdict, tokens, lost tokens, chunks (0: not in chunks), replaced terms; then the floats. */
const HEADER_BYTES = 20;

/** 128 bits: two of a million million texts share one with a chance of 1 to 10^15. */
const FIELD_BYTES = 16;

/** What an entry takes in the hash and in the sorted set besides its value: 447 on Redis 7.0 with 100 000 entries of 384 floats. */
const ENTRY_BYTES = 450;

/** A cache that nobody has filled for so long is given up. */
const LIFETIME_SECONDS = 7 * 24 * 3600;

/** Texts per script, so that no single one holds Redis for long. */
const TEXTS_PER_CALL = 256;

/** Redis with our scripts as commands. */
type ScriptedRedis = Redis & {
  embedmillFindVectorsBuffer(...keysAndFields: (string | Buffer)[]): Promise<(Buffer | null)[]>;
  embedmillKeepVectors(...keysAndArguments: (string | number | Buffer)[]): Promise<void>;
};

/** What the cache works with. */
export interface RedisVectorCacheDeps {
  redis: Redis;
  keys: Keys;
  /** Most bytes of the cache in Redis. */
  maxBytes: number;
}

/** @see VectorCache */
export class RedisVectorCache implements VectorCache {
  readonly #redis: ScriptedRedis;
  readonly #keys: Keys;
  readonly #maxBytes: number;

  constructor({ redis, keys, maxBytes }: RedisVectorCacheDeps) {
    redis.defineCommand('embedmillFindVectors', { lua: FIND, numberOfKeys: 2 });
    redis.defineCommand('embedmillKeepVectors', { lua: KEEP, numberOfKeys: 3 });
    this.#redis = redis as ScriptedRedis;
    this.#keys = keys;
    this.#maxBytes = maxBytes;
  }

  async find(texts: readonly string[], terms: CacheTerms): Promise<(CachedVector | null)[]> {
    const { cachedVectors, cacheOrder } = this.#keys;
    const fieldOf = fieldsFor(terms);
    const found: (CachedVector | null)[] = [];
    for (let start = 0; start < texts.length; start += TEXTS_PER_CALL) {
      const fields = texts.slice(start, start + TEXTS_PER_CALL).map(fieldOf);
      const values = await this.#redis.embedmillFindVectorsBuffer(cachedVectors, cacheOrder, ...fields);
      found.push(...values.map((value) => (value === null ? null : decode(value))));
    }
    return found;
  }

  async keep(texts: readonly string[], vectors: readonly CachedVector[], terms: CacheTerms): Promise<void> {
    const { cachedVectors, cacheOrder, cacheBytes } = this.#keys;
    const fieldOf = fieldsFor(terms);
    for (let start = 0; start < texts.length; start += TEXTS_PER_CALL) {
      const entries = texts.slice(start, start + TEXTS_PER_CALL).flatMap((text, i) => {
        const cached = vectors[start + i]!;
        return hasVector(cached.outcome.verdict) ? [fieldOf(text), encode(cached)] : [];
      });
      if (entries.length === 0) continue;
      const limits = [this.#maxBytes, ENTRY_BYTES, LIFETIME_SECONDS];
      await this.#redis.embedmillKeepVectors(cachedVectors, cacheOrder, cacheBytes, ...limits, ...entries);
    }
  }
}

/** The field of a text: a hash over it and all that decides its vector. */
function fieldsFor({ model, truncate, treatment }: CacheTerms): (text: string) => Buffer {
  const shared = createHash('sha256').update(JSON.stringify([model, truncate, treatmentOf(treatment)]));
  return (text) => shared.copy().update(text).digest().subarray(0, FIELD_BYTES);
}

function encode({ outcome, vector }: CachedVector): Buffer {
  const { verdict, tokens, lostTokens, chunks = 0, replacements = 0 } = outcome;
  const bytes = Buffer.alloc(HEADER_BYTES + vector.byteLength);
  const figures = [ROW_VERDICTS.indexOf(verdict), tokens, lostTokens, chunks, replacements];
  for (const [i, figure] of figures.entries()) {
    bytes.writeUInt32LE(figure, 4 * i);
  }
  bytes.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), HEADER_BYTES);
  return bytes;
}

function decode(bytes: Buffer): CachedVector {
  const figure = (i: number) => bytes.readUInt32LE(4 * i);
  const [chunks, replacements] = [figure(3), figure(4)];
  // A copy: the reply is a slice of ioredis's read buffer, and not aligned.
  const vector = new Float32Array((bytes.byteLength - HEADER_BYTES) / Float32Array.BYTES_PER_ELEMENT);
  new Uint8Array(vector.buffer).set(bytes.subarray(HEADER_BYTES));
  const outcome = {
    verdict: ROW_VERDICTS[figure(0)]!,
    tokens: figure(1),
    lostTokens: figure(2),
    ...(chunks === 0 ? {} : { chunks }),
    ...(replacements === 0 ? {} : { replacements }),
  };
  return { outcome, vector };
}
