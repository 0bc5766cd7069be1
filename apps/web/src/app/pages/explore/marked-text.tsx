/** A text with the matched words of a search marked. */

import { markedParts } from '../../explore/marked-text.ts';

/** @param spans positions of the words, in UTF-16 units */
export function MarkedText({
  text,
  spans,
}: {
  text: string;
  spans: readonly (readonly [start: number, end: number])[];
}) {
  if (spans.length === 0) return <>{text}</>;
  return (
    <>
      {markedParts(text, spans).map((part, n) =>
        part.isMarked ? <mark key={n}>{part.text}</mark> : <span key={n}>{part.text}</span>,
      )}
    </>
  );
}
