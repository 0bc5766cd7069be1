/** Token estimates that determine the size of batches. */

import { estimateTokens } from '@embedmill/core/runs';
import { expect, test } from 'vitest';

test.each([
  ['truncate', 256],
  ['max-chunks=3', 3 * 256],
  ['mean', 2502],
  ['plain-mean', 2502],
] as const)(
  'a text of 10,000 bytes with long: %s is estimated at the tokens that it costs',
  (long, tokens) => {
    expect(estimateTokens('a'.repeat(10_000), long)).toBe(tokens);
  },
);
