/** Replaces surrogates without their pair, which are no characters: most readers refuse their escapes in JSON. */

/** With the flag u, a surrogate matches only outside a pair. */
const LONE_SURROGATE = /\p{Cs}/u;
const LONE_SURROGATES = /\p{Cs}/gu;

/** A text with U+FFFD in the place of each lone surrogate; other values as they are. */
export function wellFormed<Value>(value: Value): Value | string {
  return typeof value === 'string' && LONE_SURROGATE.test(value)
    ? value.replace(LONE_SURROGATES, '\ufffd')
    : value;
}
