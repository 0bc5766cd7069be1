/** Random faults over a real run; `npm run test:chaos -- --minutes 10 --seed 1` uses it. */

import { defineConfig } from 'vitest/config';
import { packagesFromSource } from './test/support/source.ts';

export default defineConfig({
  plugins: [packagesFromSource()],
  test: {
    name: 'chaos',
    include: ['test/chaos/**/*.test.ts'],
    globalSetup: 'test/support/global-setup.ts',
    testTimeout: 24 * 3_600_000,
    hookTimeout: 120_000,
  },
});
