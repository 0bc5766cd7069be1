/** Checks that tests import the packages from their source, each module once. */

import { Run, Runs } from '@embedmill/core/runs';
import { expect, test } from 'vitest';

test('an import by package name and one by file give the same module', async () => {
  const byFile = await import('../../../packages/core/src/runs/run.ts');
  const ofIndex = await import('../../../packages/core/src/runs/index.ts');
  expect(byFile.Run).toBe(Run);
  expect(ofIndex.Runs).toBe(Runs);
});
