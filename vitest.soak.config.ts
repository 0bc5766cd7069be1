/** A run of millions of rows; `npm run test:soak -- --rows 2000000` uses it. */

import { defineConfig } from 'vitest/config';
import { packagesFromSource } from './test/support/source.ts';

export default defineConfig({
  plugins: [packagesFromSource()],
  test: {
    name: 'soak',
    include: ['test/soak/**/*.test.ts'],
    globalSetup: 'test/support/global-setup.ts',
    testTimeout: 24 * 3_600_000,
    hookTimeout: 120_000,
  },
});
