/** Tests import our packages from their source, each module once. */

import { EmbedmillError } from '@embedmill/core';
import { EmbedmillError as OfLocal } from '@embedmill/core/local';
import { expect, test } from 'vitest';

test('a module is the same one by package name, by sub-path and by file', async () => {
  const byFile: typeof import('@embedmill/core') = await import('../../../packages/core/src/index.ts');
  expect(byFile.EmbedmillError).toBe(EmbedmillError);
  expect(OfLocal).toBe(EmbedmillError);
});
