/** How many tokens a row counts for when batches are cut. */

import { estimateTokens } from '@embedmill/core/runs';
import { expect, test } from 'vitest';

test.each([
  ['truncate', 256],
  ['max-chunks=3', 3 * 256],
  ['mean', 2502],
  ['plain-mean', 2502],
] as const)('a text of 10 000 bytes counts with long: %s for what it will cost', (long, tokens) => {
  expect(estimateTokens('a'.repeat(10_000), long)).toBe(tokens);
});
