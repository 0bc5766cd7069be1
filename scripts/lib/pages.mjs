/** Bundles the pages of apps/web; a step of setup.mjs. */

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './root.mjs';
import { run } from './run.mjs';

const WEB = join(ROOT, 'apps/web');

/** Sources of the bundle, relative to the root; package.json determines the versions of its libraries. */
const SOURCES = [
  ...['index.html', 'vite.config.ts', 'vite.map-page.config.ts', 'package.json', 'public', 'src/app'].map(
    (name) => `apps/web/${name}`,
  ),
  'packages/analysis/src',
  'packages/contract/src',
];

/** Brings the bundle up to date and returns whether it was built. */
export async function bundlePages() {
  // The last file that is built: an interrupted build is repeated.
  const built = join(WEB, 'dist/map-page/map-page.js');
  if (existsSync(built) && statSync(built).mtimeMs >= newestSource()) return false;
  const vite = join(ROOT, 'node_modules/vite/bin/vite.js');
  const options = ['build', '--logLevel', 'warn', WEB];
  await run('vite build', process.execPath, [vite, ...options]);
  const config = join(WEB, 'vite.map-page.config.ts');
  await run('vite build', process.execPath, [vite, ...options, '--config', config]);
  return true;
}

/** Time of the last change of a source file or of the entries of a source folder, in ms since 1970. */
function newestSource() {
  const paths = SOURCES.flatMap((source) => {
    const path = join(ROOT, source);
    if (!statSync(path).isDirectory()) return [path];
    return [path, ...readdirSync(path, { recursive: true }).map((name) => join(path, String(name)))];
  });
  return Math.max(...paths.map((path) => statSync(path).mtimeMs));
}
