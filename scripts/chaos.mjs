/**
 * `npm run test:chaos -- --minutes 10 --seed 1`: a run under random faults; the same seed repeats them.
 * `--kinds slow-link,lost-keys` selects the kinds of faults, `--redis 6.2|7|valkey` the server.
 */

import { parseArgs } from 'node:util';
import { assertPositiveNumbers, runLongTest } from './lib/long-test.mjs';
import { main } from './lib/main.mjs';
import { takeRedisOption, withTestRedis } from './lib/test-redis.mjs';

await main(async () => {
  const { name, rest: args } = takeRedisOption(process.argv.slice(2));
  const options = {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    kinds: { type: 'string', default: '' },
  };
  const { minutes, seed, kinds } = parseArgs({ args, options }).values;
  assertPositiveNumbers({ minutes, seed });
  const chaos = { CHAOS_MINUTES: minutes, CHAOS_SEED: seed, CHAOS_KINDS: kinds };
  await withTestRedis(name, (env) => runLongTest('vitest.chaos.config.ts', { ...env, ...chaos }));
});
