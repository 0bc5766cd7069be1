/** Ids that sort by age, for runs, files and batches. */

import { randomBytes } from 'node:crypto';

const TIME_CHARS = 9;

/** Creates an id of 9 time and 10 random characters in base 36; valid in job ids, keys and file names. */
export function ageSortedId(): string {
  const time = Date.now().toString(36).padStart(TIME_CHARS, '0');
  const random = [...randomBytes(10)].map((byte) => (byte % 36).toString(36)).join('');
  return `${time}${random}`;
}

/** The creation time of an id, in milliseconds since 1970. */
export function createdAtOf(id: string): number {
  return Number.parseInt(id.slice(0, TIME_CHARS), 36);
}
