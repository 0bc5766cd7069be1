/** Tests import our packages from their source, each module once. */

import { Run, Runs } from '@embedmill/core/runs';
import { expect, test } from 'vitest';

test('a module is the same one by package name and by file', async () => {
  const byFile = await import('../../../packages/core/src/runs/run.ts');
  const ofIndex = await import('../../../packages/core/src/runs/index.ts');
  expect(byFile.Run).toBe(Run);
  expect(ofIndex.Runs).toBe(Runs);
});
