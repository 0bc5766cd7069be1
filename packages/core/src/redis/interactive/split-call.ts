/** Cuts the texts of a call into parts that are worth a journey of their own; the lane calls it. */

import type { TextInput } from '@embedmill/contract';

/** Most texts of a part and of a job: enough to fill the threads of a worker, few enough for another worker to share a long call. */
export const MAX_TEXTS = 16;

/** Most characters of a part and of a job, and what a token id counts for; a longer text travels alone. BullMQ copies jobs several times. */
export const MAX_CHARS = 32 * 1024;
const CHARS_PER_ID = 6;

/** Consecutive texts and where they stand in their call. */
export interface Slice {
  start: number;
  texts: readonly TextInput[];
}

/** Slices in order that together hold every text. */
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

/** What a text takes in a job, roughly. */
export function charsOf(text: TextInput): number {
  return typeof text === 'string' ? text.length : text.length * CHARS_PER_ID;
}
