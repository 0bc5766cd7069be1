/** Chromium for tests of the pages: the machine's own, or Debian's, installed if permitted. */

import { access } from 'node:fs/promises';
import { type Browser, chromium } from 'playwright-core';
import { installDebian } from './debian.ts';

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/**
 * Path of Chromium; `null`, after printing the reason, when there is none and it cannot be installed. Its
 * package needs a hundred libraries, so unlike Redis it is installed, not unpacked.
 */
export async function provideChromium(): Promise<string | null> {
  const found = await findChromium();
  if (found !== null) return found;
  const isInstalled = await installDebian(['chromium', 'fonts-dejavu-core'], 'The pages are not tested');
  return isInstalled ? findChromium() : null;
}

/** Starts Chromium headless. For root without its sandbox, which needs privileges that containers lack. */
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
