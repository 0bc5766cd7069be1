/** Port of the exchange for reading large values, and its adapter for a connection of ioredis. */

import type { Redis } from 'ioredis';

/** Reads values. */
export interface ValueSource {
  /** The value of each key; `null` for a key that does not exist. */
  readAll(keys: readonly string[]): Promise<(Uint8Array | null)[]>;
  /** Copies a value from byte `start` on into `target`. @returns how many bytes the value has for it */
  readInto(target: Uint8Array, key: string, start: number): Promise<number>;
}

/** Reads values on a connection that has other commands as well. */
export function valuesOf(redis: Redis): ValueSource {
  return {
    readAll: (keys) => redis.mgetBuffer([...keys]),
    readInto: async (target, key, start) => {
      const bytes = await redis.getrangeBuffer(key, start, start + target.byteLength - 1);
      target.set(bytes);
      return bytes.byteLength;
    },
  };
}
