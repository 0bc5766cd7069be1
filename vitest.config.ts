/** The test suite: five projects, from pure functions to whole processes, over one private Redis. */

import { defineConfig } from 'vitest/config';
import { packagesFromSource } from './test/support/source.ts';

/** Longest time to an event that a test waits for: nothing is slower for it, only a failure is. */
const EVENT_TIMEOUT_MS = 120_000;

/** Time limit of a test or hook: only a test that hangs comes near it, however busy the machine is. */
const TEST_TIMEOUT_MS = 300_000;

/**
 * Second attempts on CI only, where a lost race must not hold up a landing; vitest reports each as "retry x1".
 * Everywhere else such a test fails, so that it is fixed.
 */
const CI_RETRIES = process.env.CI ? 1 : 0;

/** One folder of tests. */
const project = (name: string) => ({
  plugins: [packagesFromSource()],
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    // Faults that take long: `npm run test:faults` has them.
    exclude: ['test/faults/slow/**'],
    testTimeout: TEST_TIMEOUT_MS,
    hookTimeout: TEST_TIMEOUT_MS,
    retry: CI_RETRIES,
    isolate: false,
    expect: { poll: { timeout: EVENT_TIMEOUT_MS } },
  },
});

export default defineConfig({
  plugins: [packagesFromSource()],
  test: {
    globalSetup: 'test/support/global-setup.ts',
    // Inference threads, child processes and Redis compete with the tests for the cores.
    maxWorkers: 3,
    projects: [
      project('unit'),
      project('contracts'),
      project('integration'),
      project('faults'),
      project('e2e'),
    ],
  },
});
