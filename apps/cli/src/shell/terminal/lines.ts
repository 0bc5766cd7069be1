/** Fits texts into lines of a terminal. */

/** The text on one line, cut to `maxChars` with an ellipsis. */
export function cutLine(text: string, maxChars: number): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > maxChars ? `${line.slice(0, Math.max(0, maxChars - 1))}…` : line;
}
