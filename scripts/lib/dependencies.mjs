/** Installs the npm packages if they are missing or differ from package-lock.json; a step of setup.mjs. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './root.mjs';
import { run } from './run.mjs';

/**
 * Whether node_modules matches package-lock.json. npm writes `node_modules/.package-lock.json` after a
 * complete install, so the two files are compared; optional packages, such as those for other platforms, may
 * be missing.
 */
export function areDependenciesInstalled(root = ROOT) {
  const installed = readPackages(join(root, 'node_modules/.package-lock.json'));
  if (installed === undefined) return false;
  const wanted = readPackages(join(root, 'package-lock.json'));
  return Object.entries(wanted).every(([path, { version, integrity, optional, devOptional }]) => {
    if (!path.startsWith('node_modules/')) return true;
    const found = installed[path];
    if (found === undefined) return optional === true || devOptional === true;
    return found.version === version && found.integrity === integrity;
  });
}

/** Runs `npm ci`, with the npm that runs this script if there is one. */
export async function installDependencies() {
  const npm = process.env.npm_execpath;
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  if (npm?.endsWith('.js')) await run('npm ci', process.execPath, [npm, ...args]);
  else await run('npm ci', 'npm', args);
}

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}
