/** The option `--k` of the commands that find topics. */

import { InvalidArgumentError, Option } from 'commander';

/** The number of topics; `null`, the default, to find it. */
export function topicsOption(): Option {
  return new Option('--k <topics>', 'number of topics, or auto')
    .argParser(topicCount)
    .default(null, '"auto"');
}

/** A whole number of at least 1; `auto` becomes `null`. */
function topicCount(given: string): number | null {
  if (given === 'auto') return null;
  const value = Number(given);
  if (/^\d+$/.test(given) && Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError('Expected auto or a whole number of at least 1.');
}
