/** Writes a float32 as the shortest decimal that reads back as the same float32, for jsonl. */

/** Maximum characters per number: a sign, "0.", six zeros and nine digits, or an exponent. */
export const MAX_FLOAT_CHARS = 24;

const ZERO = 0x30;
const POINT = 0x2e;
const MINUS = 0x2d;

/** 10^0 … 10^22 are exact in a double. */
const POWERS = Float64Array.from({ length: 23 }, (_, n) => Number(`1e${n}`));

/** The fast path writes plain decimals within this range; outside it, `writeSlowly` writes exponents. */
const MIN_PLAIN = 1e-6;
const MAX_PLAIN = 1e6;

/** Digits of the number being written; one shared buffer, because all code here is synchronous. */
const digits = new Uint8Array(9);

/**
 * Writes `value` as JSON at position `at` and returns the position after it. NaN and infinities become
 * `null`, as in JSON.stringify.
 *
 * A float32 needs up to 9 digits. Decimals of 7 digits are spaced more widely than the interval that rounds
 * to one float32, so at most one of them fits: if the nearest does, removing its trailing zeros gives the
 * shortest text; if not, the nearest of 8 digits is tried, then of 9, which always fits. A candidate is an
 * integer below 2^53 over an exact power of ten, so the division rounds once, exactly as a JSON parser rounds
 * the text, and the check is the round trip itself. `toPrecision` and `Number` give the same result at a
 * tenth of the speed.
 */
export function writeFloat32(out: Uint8Array, at: number, value: number): number {
  const size = Math.abs(value);
  if (!(size >= MIN_PLAIN && size < MAX_PLAIN)) return writeSlowly(out, at, value);
  let exponent = 5; // Exponent of the leading digit: 10^exponent <= size.
  while (exponent >= 0 ? size < POWERS[exponent]! : size * POWERS[-exponent]! < 1) exponent--;
  let count = 7;
  let decimals = count - 1 - exponent;
  let candidate = Math.round(size * POWERS[decimals]!);
  while (count < 9 && Math.fround(candidate / POWERS[decimals]!) !== size) {
    count++;
    decimals++;
    candidate = Math.round(size * POWERS[decimals]!);
  }
  if (Math.fround(candidate / POWERS[decimals]!) !== size) return writeSlowly(out, at, value);
  while (candidate % 10 === 0) {
    candidate /= 10;
    decimals--;
  }
  if (value < 0) out[at++] = MINUS;
  return decimals <= 0
    ? writeInteger(out, at, candidate * POWERS[-decimals]!)
    : writeDecimal(out, at, candidate, decimals);
}

function writeInteger(out: Uint8Array, at: number, value: number): number {
  const text = String(value);
  for (let n = 0; n < text.length; n++) out[at + n] = text.charCodeAt(n);
  return at + text.length;
}

/** Writes `candidate` / 10^`decimals`, with `decimals` > 0. */
function writeDecimal(out: Uint8Array, at: number, candidate: number, decimals: number): number {
  let count = 0;
  // V8 divides integers below 2^30 fast; candidates of 9 digits are just below it.
  for (let rest = candidate | 0; rest > 0; rest = (rest / 10) | 0) digits[count++] = rest % 10;
  if (count <= decimals) {
    out[at++] = ZERO;
    out[at++] = POINT;
    for (let n = count; n < decimals; n++) out[at++] = ZERO;
    while (count > 0) out[at++] = ZERO + digits[--count]!;
    return at;
  }
  while (count > 0) {
    if (count === decimals) out[at++] = POINT;
    out[at++] = ZERO + digits[--count]!;
  }
  return at;
}

function writeSlowly(out: Uint8Array, at: number, value: number): number {
  const text = shortestText(value);
  for (let n = 0; n < text.length; n++) out[at + n] = text.charCodeAt(n);
  return at + text.length;
}

function shortestText(value: number): string {
  if (!Number.isFinite(value)) return 'null';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  for (let count = 1; count < 9; count++) {
    const rounded = Number(value.toPrecision(count));
    if (Math.fround(rounded) === value) return String(rounded);
  }
  return String(Number(value.toPrecision(9)));
}
