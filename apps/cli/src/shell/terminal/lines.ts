/** Texts of any shape on lines of a terminal. */

/** A text on one line of at most `maxChars`. */
export function cutLine(text: string, maxChars: number): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > maxChars ? `${line.slice(0, Math.max(0, maxChars - 1))}…` : line;
}
