/**
 * `npm run test:soak -- --rows 2000000 [--curve PATH]`: a long run whose memory must not grow; writes the
 * memory over time to PATH as SVG.
 */

import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { assertPositiveNumbers, runLongTest } from './lib/long-test.mjs';
import { main } from './lib/main.mjs';
import { ROOT } from './lib/root.mjs';

await main(async () => {
  const { values } = parseArgs({
    options: {
      rows: { type: 'string', default: '2000000' },
      curve: { type: 'string', default: join(ROOT, '.embedmill/soak.svg') },
    },
  });
  assertPositiveNumbers({ rows: values.rows });
  await runLongTest('vitest.soak.config.ts', { SOAK_ROWS: values.rows, SOAK_CURVE: resolve(values.curve) });
});
