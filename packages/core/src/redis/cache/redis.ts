/**
 * The vector cache in Redis, shared by all workers of a fleet; enabled by `EMBEDMILL_VECTOR_CACHE_MB`.
 * Decision: docs/decisions/0091.
 */

import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { hasVector, ROW_VERDICTS, treatmentOf, unknownTokensOf } from '@embedmill/contract';
import type { Redis } from 'ioredis';
import { TREATMENT_REVISION } from '../batch/fingerprint.ts';
import type { Keys } from '../keys.ts';
import { FIND, KEEP } from './scripts.ts';
import type { CachedVector, CacheOptions, VectorCache } from './types.ts';

/**
 * Eight little-endian u32: CRC-32 of all that follows, revision of the treatment, verdict, tokens, lost tokens, chunks (0: not
 * chunked), replaced terms, unknown tokens; the floats follow.
 */
const HEADER_BYTES = 32;
const CHECKSUM_BYTES = 4;

/** Raised when the format of an entry changes, so that older workers never read a newer entry. */
const ENTRY_FORMAT = 3;

/** 128 bits: among 10^12 texts, the probability that two share a field is about 10^-15. */
const FIELD_BYTES = 16;

/** Memory of an entry besides its value: 447 bytes on Redis 7.0 with 100,000 entries of 384 floats. */
const ENTRY_BYTES = 450;

/** A cache without new entries expires after this time. */
const LIFETIME_SECONDS = 7 * 24 * 3600;

/** Texts per script call, so that no single call blocks Redis for long. */
const TEXTS_PER_CALL = 256;

/** Maximum bytes of vectors that a script call writes, for the same reason. */
const BYTES_PER_CALL = 512 * 1024;

/** Redis with our scripts as commands. */
type ScriptedRedis = Redis & {
  embedmillFindVectorsBuffer(...keysAndFields: (string | Buffer)[]): Promise<(Buffer | null)[]>;
  embedmillKeepVectors(...keysAndArguments: (string | number | Buffer)[]): Promise<void>;
};

/** What the cache works with. */
export interface RedisVectorCacheDeps {
  redis: Redis;
  keys: Keys;
  /** Maximum size of the cache in Redis, in bytes. */
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

  async find(texts: readonly string[], options: CacheOptions): Promise<(CachedVector | null)[]> {
    const { cachedVectors, cacheOrder } = this.#keys;
    const fieldOf = fieldsFor(options);
    const found: (CachedVector | null)[] = [];
    for (let start = 0; start < texts.length; start += TEXTS_PER_CALL) {
      const fields = texts.slice(start, start + TEXTS_PER_CALL).map(fieldOf);
      const values = await this.#redis.embedmillFindVectorsBuffer(cachedVectors, cacheOrder, ...fields);
      found.push(...values.map((value, i) => (value === null ? null : decode(value, texts[start + i]!))));
    }
    return found;
  }

  async keep(
    texts: readonly string[],
    vectors: readonly CachedVector[],
    options: CacheOptions,
  ): Promise<void> {
    const { cachedVectors, cacheOrder, cacheBytes } = this.#keys;
    const fieldOf = fieldsFor(options);
    const textsPerCall = Math.max(
      1,
      Math.min(TEXTS_PER_CALL, Math.floor(BYTES_PER_CALL / entryBytes(vectors))),
    );
    for (let start = 0; start < texts.length; start += textsPerCall) {
      const entries = texts.slice(start, start + textsPerCall).flatMap((text, i) => {
        const cached = vectors[start + i]!;
        return hasVector(cached.outcome.verdict) ? [fieldOf(text), encode(cached)] : [];
      });
      if (entries.length === 0) continue;
      const limits = [this.#maxBytes, ENTRY_BYTES, LIFETIME_SECONDS];
      await this.#redis.embedmillKeepVectors(cachedVectors, cacheOrder, cacheBytes, ...limits, ...entries);
    }
  }
}

/** Maximum bytes of the value of one of these vectors. */
function entryBytes(vectors: readonly CachedVector[]): number {
  return HEADER_BYTES + vectors.reduce((max, { vector }) => Math.max(max, vector.byteLength), 0);
}

/** Field of a text: a hash of it and of everything else that determines its vector and the format of its entry. */
function fieldsFor({ model, truncate, treatment }: CacheOptions): (text: string) => Buffer {
  const shared = createHash('sha256').update(
    JSON.stringify([ENTRY_FORMAT, TREATMENT_REVISION, model, truncate, treatmentOf(treatment)]),
  );
  return (text) => shared.copy().update(text).digest().subarray(0, FIELD_BYTES);
}

function encode({ outcome, vector }: CachedVector): Buffer {
  const { verdict, tokens, lostTokens, chunks = 0, replacements = 0, unknownTokens = 0 } = outcome;
  const bytes = Buffer.alloc(HEADER_BYTES + vector.byteLength);
  const numbers = [
    TREATMENT_REVISION,
    ROW_VERDICTS.indexOf(verdict),
    tokens,
    lostTokens,
    chunks,
    replacements,
    unknownTokens,
  ];
  for (const [i, number] of numbers.entries()) bytes.writeUInt32LE(number, CHECKSUM_BYTES + 4 * i);
  bytes.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), HEADER_BYTES);
  bytes.writeUInt32LE(crc32(bytes.subarray(CHECKSUM_BYTES)), 0);
  return bytes;
}

/** The entry, or `null` if it is damaged or of another revision: the text is then computed, and its entry replaced. */
function decode(bytes: Buffer, text: string): CachedVector | null {
  if (bytes.byteLength < HEADER_BYTES || bytes.readUInt32LE(0) !== crc32(bytes.subarray(CHECKSUM_BYTES)))
    return null;
  const number = (i: number) => bytes.readUInt32LE(CHECKSUM_BYTES + 4 * i);
  if (number(0) !== TREATMENT_REVISION) return null;
  const [chunks, replacements, unknownTokens] = [number(4), number(5), number(6)];
  // Copied, because the reply is an unaligned slice of ioredis's read buffer.
  const vector = new Float32Array((bytes.byteLength - HEADER_BYTES) / Float32Array.BYTES_PER_ELEMENT);
  new Uint8Array(vector.buffer).set(bytes.subarray(HEADER_BYTES));
  const outcome = {
    verdict: ROW_VERDICTS[number(1)]!,
    tokens: number(2),
    lostTokens: number(3),
    ...(chunks === 0 ? {} : { chunks }),
    ...(replacements === 0 ? {} : { replacements }),
    ...(unknownTokens === 0 ? {} : unknownTokensOf(text, unknownTokens)),
  };
  return { outcome, vector };
}
