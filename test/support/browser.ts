/** A real Chromium for tests of the pages: the one of this machine, or Debian's, installed when we may. */

import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';

const run = promisify(execFile);

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/**
 * The path of a Chromium; `null`, with a line that says why, where there is none and none can be installed. Its package
 * brings a hundred libraries, so unlike Redis it is installed and not unpacked.
 */
export async function provideChromium(): Promise<string | null> {
  const found = await findChromium();
  if (found !== null) return found;
  if (process.getuid?.() !== 0) {
    console.log(
      'The pages are not tested: there is no Chromium, and only root may install Debian\'s package "chromium".',
    );
    return null;
  }
  console.log('Chromium is missing: installing Debian\'s package "chromium" for the tests of the pages ...');
  try {
    const options = ['-q', '-y', '-o', 'DPkg::Lock::Timeout=300', '--no-install-recommends'];
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await run('apt-get', ['-q', 'update'], { env });
    await run('apt-get', ['install', ...options, 'chromium', 'fonts-dejavu-core'], { env, maxBuffer: 1e8 });
    return await findChromium();
  } catch (error) {
    console.log(
      `The pages are not tested: Chromium cannot be installed (${(error as Error).message.slice(0, 300)}).`,
    );
    return null;
  }
}

/** Starts it without a window. Root has no use of its sandbox, which needs rights that containers do not give. */
export function startBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
}

async function findChromium(): Promise<string | null> {
  for (const path of PATHS) {
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return null;
}
