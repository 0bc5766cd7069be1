/** Compiles the TypeScript of all packages and apps; a step of setup.mjs. */

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './root.mjs';
import { run } from './run.mjs';

/** The folders of all workspaces, relative to the root. */
export function workspaces() {
  return ['packages', 'apps'].flatMap((parent) =>
    readdirSync(join(ROOT, parent)).map((name) => join(parent, name)),
  );
}

/**
 * Brings every `dist` up to date and returns whether anything was compiled; takes 0.3 s if nothing changed.
 */
export async function compile() {
  const before = newestBuild();
  const isDistMissing = workspaces().some((folder) => !existsSync(join(ROOT, folder, 'dist')));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  // tsc relies on its build info and does not detect deleted output.
  await run('tsc -b', process.execPath, [tsc, '-b', ...(isDistMissing ? ['--force'] : [])]);
  return newestBuild() !== before;
}

/** Time of the newest build info of tsc, in ms since 1970. */
function newestBuild() {
  return Math.max(
    0,
    ...workspaces().map((folder) => {
      const buildInfo = join(ROOT, folder, 'tsconfig.tsbuildinfo');
      return existsSync(buildInfo) ? statSync(buildInfo).mtimeMs : 0;
    }),
  );
}
