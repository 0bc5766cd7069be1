/** All fault tests, those that are too slow for `npm test` too; `npm run test:faults` uses it. */

import { defineConfig } from 'vitest/config';
import { packagesFromSource } from './test/support/source.ts';

export default defineConfig({
  plugins: [packagesFromSource()],
  test: {
    name: 'faults',
    include: ['test/faults/**/*.test.ts'],
    globalSetup: 'test/support/global-setup.ts',
    maxWorkers: 2,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 120_000 } },
  },
});
