/** A disk without hard links, such as exFAT. */

import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { onTestFinished } from 'vitest';

/** Makes `link` fail with this code until the test ends. */
export function refuseLinks(code: string): void {
  const { link } = fs;
  fs.link = () => Promise.reject(Object.assign(new Error(`${code}: no hard links here`), { code }));
  syncBuiltinESMExports();
  onTestFinished(() => {
    fs.link = link;
    syncBuiltinESMExports();
  });
}
