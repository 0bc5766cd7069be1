/** The test suite: five projects, from pure functions to whole processes, over one private Redis. */

import { defineConfig } from 'vitest/config';

/** One folder of tests; `timeoutMs` is for one test, with room for a machine that does other things too. */
const project = (name: string, timeoutMs: number) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    // Faults that take long: `npm run test:faults` has them.
    exclude: ['test/faults/slow/**'],
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
  },
});

export default defineConfig({
  test: {
    globalSetup: 'test/support/global-setup.ts',
    // Inference threads, child processes and Redis compete with the tests for the cores.
    maxWorkers: 2,
    projects: [
      project('unit', 30_000),
      project('contracts', 30_000),
      project('integration', 30_000),
      project('faults', 120_000),
      project('e2e', 180_000),
    ],
  },
});
