/** Splits a call into parts that fit in one message each. */

import type { TextInput } from '@embedmill/contract';

/**
 * Maximum texts per part and per message: enough to fill the threads of a worker, few enough to share a long call
 * with others.
 */
export const MAX_TEXTS = 16;

/** Maximum characters per part and per message; a longer text is alone in its message. */
export const MAX_CHARS = 32 * 1024;
/** Characters that a token id counts for. */
const CHARS_PER_ID = 6;

/** Consecutive texts of a call. */
export interface Slice {
  /** 0-based index of the first text in the call. */
  start: number;
  texts: readonly TextInput[];
}

/** Splits texts into consecutive slices. */
export function slicesOf(texts: readonly TextInput[]): Slice[] {
  const slices: Slice[] = [];
  let start = 0;
  let chars = 0;
  for (const [index, text] of texts.entries()) {
    const own = charsOf(text);
    if (index > start && (index - start === MAX_TEXTS || chars + own > MAX_CHARS)) {
      slices.push({ start, texts: texts.slice(start, index) });
      start = index;
      chars = 0;
    }
    chars += own;
  }
  if (start < texts.length) slices.push({ start, texts: texts.slice(start) });
  return slices;
}

/** Approximate characters of a text in a message. */
export function charsOf(text: TextInput): number {
  return typeof text === 'string' ? text.length : text.length * CHARS_PER_ID;
}
