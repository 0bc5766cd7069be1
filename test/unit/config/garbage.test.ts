/** The option of V8 that makes it collect the whole heap less often. */

import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

/** What V8 writes about an option that is set at runtime; how often it collects depends on the pace of the machine. */
function complaintAbout(program: string): string {
  return spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' }).stderr;
}

test('V8 knows the option that is set', () => {
  const garbage = JSON.stringify(
    new URL('../../../packages/core/dist/process/garbage.js', import.meta.url).href,
  );
  expect(
    complaintAbout(`import { collectGarbageLessOften } from ${garbage}; collectGarbageLessOften();`),
  ).toBe('');
  // V8 states options that it does not know, and no more than that.
  const unknown = "import { setFlagsFromString } from 'node:v8'; setFlagsFromString('--heap-growing=300');";
  expect(complaintAbout(unknown)).toContain('unrecognized flag');
});
