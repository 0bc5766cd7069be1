/** `npm run test:chaos -- --minutes 10 --seed 1`: a real run under random faults, reproducible by seed. */

import { parseArgs } from 'node:util';
import { assertPositiveNumbers, runLongTest } from './lib/long-test.mjs';
import { main } from './lib/main.mjs';
import { takeRedisOption, withTestRedis } from './lib/test-redis.mjs';

await main(async () => {
  const { values } = parseArgs({
    options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' } },
  });
  assertPositiveNumbers(values);
  await runLongTest('vitest.chaos.config.ts', { CHAOS_MINUTES: values.minutes, CHAOS_SEED: values.seed });
});
