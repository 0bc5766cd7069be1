/** Fits texts into lines of a terminal. */

import { escapeControls } from '@embedmill/contract';

/**
 * A text of any origin as a terminal may show it: no character moves the cursor, sets the title or the
 * clipboard, or reverses the text. Lines and tabs stay.
 */
export function printable(text: string): string {
  return escapeControls(text, '\n\t');
}

/** The text on one line, without control characters, cut to `maxChars` with an ellipsis. */
export function cutLine(text: string, maxChars: number): string {
  const line = escapeControls(text.slice(0, 4 * maxChars).replaceAll(/\s+/g, ' '));
  return line.length > maxChars ? `${line.slice(0, Math.max(0, maxChars - 1))}…` : line;
}
