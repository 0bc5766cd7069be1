/** Refuses a Node that is too old with one clear sentence; called before anything else. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './root.mjs';

/**
 * Throws when this Node is older than the root package.json's `engines.node`, which is of the form `>=20.19`.
 */
export function checkNodeVersion(version = process.versions.node) {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const oldest = engines.node.replace('>=', '');
  const [major, minor] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = oldest.split('.').map(Number);
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new Error(
    `Embedmill needs Node ${oldest} or newer, and this is Node ${version}. See https://nodejs.org/en/download.`,
  );
}
