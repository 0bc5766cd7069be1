/** Splits a text at the words that a search matched. */

/** A part of a text. */
export interface TextPart {
  text: string;
  isMarked: boolean;
}

/**
 * Returns the parts of a text, in order.
 * @param spans positions in UTF-16 units, in order and without overlaps
 */
export function markedParts(
  text: string,
  spans: readonly (readonly [start: number, end: number])[],
): TextPart[] {
  const parts: TextPart[] = [];
  let at = 0;
  for (const [start, end] of spans) {
    if (start < at || end > text.length) continue;
    if (start > at) parts.push({ text: text.slice(at, start), isMarked: false });
    parts.push({ text: text.slice(start, end), isMarked: true });
    at = end;
  }
  if (at < text.length) parts.push({ text: text.slice(at), isMarked: false });
  return parts;
}
