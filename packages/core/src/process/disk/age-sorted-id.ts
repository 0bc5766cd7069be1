/** Names for what is kept in a folder of its own: runs, files, batches. */

import { randomBytes } from 'node:crypto';

const TIME_CHARS = 9;

/** 9 characters of time and 10 of chance, in base 36: sorts by age and fits job ids, keys and file names. */
export function ageSortedId(): string {
  const time = Date.now().toString(36).padStart(TIME_CHARS, '0');
  const chance = [...randomBytes(10)].map((byte) => (byte % 36).toString(36)).join('');
  return `${time}${chance}`;
}

/** When such an id was made, in milliseconds since 1970. */
export function createdAtOf(id: string): number {
  return Number.parseInt(id.slice(0, TIME_CHARS), 36);
}
