/** Writes a half as the shortest decimal that reads back as the same half, for jsonl. */

import { floatsOfHalves, halvesOf } from '@embedmill/contract';

/** Five digits tell any half from its neighbours: 11 bits of significand, 1 + ⌈11 · log10 2⌉. */
const MAX_DIGITS = 5;

/** The texts of the halves that were written, by their bits: there are no more than 65 536. */
const texts: string[] = [];

/** The text of a half, given as its bits; NaN and infinities become `null`, as in JSON.stringify. */
export function halfText(half: number): string {
  texts[half] ??= shortestText(half);
  return texts[half];
}

function shortestText(half: number): string {
  const value = floatsOfHalves(Uint16Array.of(half))[0]!;
  if (!Number.isFinite(value)) return 'null';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  for (let digits = 1; digits < MAX_DIGITS; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (halvesOf(Float32Array.of(rounded))[0] === half) return String(rounded);
  }
  return String(Number(value.toPrecision(MAX_DIGITS)));
}
