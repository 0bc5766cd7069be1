/** Seeded random numbers, the same on every machine, for samples, bootstraps and clusterings. */

/** A sequence of random choices. */
export interface Random {
  /** A number from 0 (inclusive) to 1 (exclusive). */
  next(): number;
  /** One element of a non-empty list. */
  pick<Item>(items: readonly Item[]): Item;
  /** True with probability `share`, 0 to 1. */
  chance(share: number): boolean;
  /** A shuffled copy of the list. */
  shuffle<Item>(items: readonly Item[]): Item[];
}

/**
 * The generator mulberry32 of Tommy Ettinger (public domain): 32 bits of state, uniform enough for sampling,
 * and only integer arithmetic, so that every machine draws the same numbers.
 *
 * @param seed any number; only its lower 32 bits are used
 */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(next() * items.length)] as Item;
  return {
    next,
    pick,
    chance: (share) => next() < share,
    shuffle: (items) => {
      const rest = [...items];
      for (let last = rest.length - 1; last > 0; last--) {
        const other = Math.floor(next() * (last + 1));
        [rest[last], rest[other]] = [
          rest[other] as (typeof rest)[number],
          rest[last] as (typeof rest)[number],
        ];
      }
      return rest;
    },
  };
}
