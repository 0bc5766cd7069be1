/** Check of the Node version; runs before anything else. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './root.mjs';

/**
 * @throws {Error} if Node is older than `engines.node` of the root package.json, which has the form `>=20.19`
 */
export function checkNodeVersion(version = process.versions.node) {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const minimum = engines.node.replace('>=', '');
  const [major, minor] = version.split('.').map(Number);
  const [minimumMajor, minimumMinor] = minimum.split('.').map(Number);
  if (major > minimumMajor || (major === minimumMajor && minor >= minimumMinor)) return;
  throw new Error(
    `Embedmill requires Node ${minimum} or later; this is Node ${version}. See https://nodejs.org/en/download.`,
  );
}
