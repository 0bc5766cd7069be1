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
 * Brings every `dist` up to date; returns whether anything had to be compiled. tsc knows what changed in 0.3
 * s.
 */
export async function compile() {
  const before = newestBuild();
  const isDistGone = workspaces().some((folder) => !existsSync(join(ROOT, folder, 'dist')));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  // tsc trusts its notes about the last build and would not see that their results were deleted.
  await run('tsc -b', process.execPath, [tsc, '-b', ...(isDistGone ? ['--force'] : [])]);
  return newestBuild() !== before;
}

/** When tsc last wrote its notes in any package, in ms since 1970. */
function newestBuild() {
  return Math.max(
    0,
    ...workspaces().map((folder) => {
      const notes = join(ROOT, folder, 'tsconfig.tsbuildinfo');
      return existsSync(notes) ? statSync(notes).mtimeMs : 0;
    }),
  );
}
