/** Installs Debian packages that a test of the real thing needs, where that is allowed. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Installs packages as root. When it cannot, it says on one line what is not tested and why, and gives false.
 * @param untested what is left out without them, as a sentence's beginning: "The pages are not tested"
 */
export async function installDebian(packages: readonly string[], untested: string): Promise<boolean> {
  const names = packages.join(' ');
  if (process.getuid?.() !== 0) {
    console.log(`${untested}: it takes Debian's ${names}, which only root may install.`);
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
