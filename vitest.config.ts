/** The test suite: five projects, from pure functions to whole processes, over one private Redis. */

import { defineConfig } from 'vitest/config';
import { packagesFromSource } from './test/support/source.ts';

/** Longest time to an event that a test waits for: nothing is slower for it, only a failure is. */
const EVENT_TIMEOUT_MS = 20_000;

/** One folder of tests; `timeoutMs` is for one test, with room for a machine that does other things too. */
const project = (name: string, timeoutMs: number) => ({
  plugins: [packagesFromSource()],
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    // Faults that take long: `npm run test:faults` has them.
    exclude: ['test/faults/slow/**'],
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    expect: { poll: { timeout: EVENT_TIMEOUT_MS } },
  },
});

export default defineConfig({
  plugins: [packagesFromSource()],
  test: {
    globalSetup: 'test/support/global-setup.ts',
    // Inference threads, child processes and Redis compete with the tests for the cores.
    maxWorkers: 2,
    projects: [
      project('unit', 60_000),
      project('contracts', 60_000),
      project('integration', 90_000),
      project('faults', 180_000),
      project('e2e', 300_000),
    ],
  },
});
