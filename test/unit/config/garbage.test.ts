/** How often V8 collects the whole heap while buffers are allocated. */

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const GARBAGE = fileURLToPath(new URL('../../../packages/core/dist/process/garbage.js', import.meta.url));

/** Counts the collections of a process with small live objects and 6.5 MB of buffers that live for a while. */
const PROGRAM = `
  import { constants, PerformanceObserver } from 'node:perf_hooks';
  import { setImmediate } from 'node:timers/promises';
  SETTING
  let collections = 0;
  new PerformanceObserver((list) => {
    for (const { detail } of list.getEntries()) {
      if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) collections += 1;
    }
  }).observe({ entryTypes: ['gc'] });
  const live = Array.from({ length: 200_000 }, (_, value) => ({ value }));
  const recent = [];
  for (let i = 0; i < 40_000; i += 1) {
    recent[i % 100] = new Uint8Array(65_536);
    Array.from({ length: 300 }, (_, value) => ({ value }));
    if (i % 20 === 0) await setImmediate();
  }
  await setImmediate();
  console.log(collections, live.length);
`;

function collections(setting: string): number {
  const program = PROGRAM.replace('SETTING', setting);
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  });
  return Number.parseInt(output, 10);
}

test('buffers cause fewer collections of the whole heap', () => {
  const before = collections('');
  const after = collections(
    `import { collectGarbageLessOften } from ${JSON.stringify(GARBAGE)}; collectGarbageLessOften();`,
  );
  expect(before).toBeGreaterThan(2);
  expect(after).toBeLessThan(0.7 * before);
});
