/** A text with some of its words marked. */

import type { JSX } from 'preact';

/** @param spans start and end of each marked word in UTF-16 units, ascending and without overlap */
export function MarkedText({ text, spans }: { text: string; spans: readonly (readonly [number, number])[] }) {
  const parts: (string | JSX.Element)[] = [];
  let from = 0;
  for (const [start, end] of spans) {
    parts.push(text.slice(from, start), <mark key={start}>{text.slice(start, end)}</mark>);
    from = end;
  }
  parts.push(text.slice(from));
  return <>{parts}</>;
}
