/** `npm run test:chaos -- --minutes 10 --seed 1`: a real run under random faults; the seed repeats them. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { main } from './lib/main.mjs';
import { ROOT } from './lib/root.mjs';
import { setUp } from './lib/setup.mjs';

await main(async () => {
  const { values } = parseArgs({
    options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' } },
  });
  for (const [name, value] of Object.entries(values)) {
    if (!(Number(value) > 0)) throw new Error(`--${name}: expected a number above 0, got "${value}"`);
  }
  await setUp();
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', '--config', 'vitest.chaos.config.ts'], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, CHAOS_MINUTES: values.minutes, CHAOS_SEED: values.seed },
  });
  const [code] = await once(child, 'close');
  process.exitCode = code ?? 1;
});
