/** Parses the number of topics, an option of the commands that find topics. */

import { InvalidArgumentError } from 'commander';

/** A whole number of at least 1; `auto` becomes `null`. */
export function topicCount(given: string): number | null {
  if (given === 'auto') return null;
  const value = Number(given);
  if (/^\d+$/.test(given) && Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError('Expected auto or a whole number of at least 1.');
}
