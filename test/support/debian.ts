/** Installs Debian packages that a test needs, if permitted. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Installs packages as root. On failure, prints what is not tested and why, and returns false.
 * @param untested what is not tested without them, as the start of a sentence: "The pages are not tested"
 */
export async function installDebian(packages: readonly string[], untested: string): Promise<boolean> {
  const names = packages.join(' ');
  if (process.getuid?.() !== 0) {
    console.log(`${untested}: they need Debian's ${names}, which only root may install.`);
    return false;
  }
  console.log(`Installing Debian's ${names} for tests ...`);
  try {
    const options = ['-q', '-y', '-o', 'DPkg::Lock::Timeout=300', '--no-install-recommends'];
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await run('apt-get', ['-q', 'update'], { env });
    await run('apt-get', ['install', ...options, ...packages], { env, maxBuffer: 1e8 });
    return true;
  } catch (error) {
    console.log(`${untested}: ${names} cannot be installed (${(error as Error).message.slice(0, 300)}).`);
    return false;
  }
}
