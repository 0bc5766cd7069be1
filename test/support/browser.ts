/** A real Chromium for tests of the pages: the one of this machine, or Debian's, installed when we may. */

import { access } from 'node:fs/promises';
import { type Browser, chromium } from 'playwright-core';
import { installDebian } from './debian.ts';

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/**
 * The path of a Chromium; `null`, with a line that says why, where there is none and none can be installed. Its package
 * brings a hundred libraries, so unlike Redis it is installed and not unpacked.
 */
export async function provideChromium(): Promise<string | null> {
  const found = await findChromium();
  if (found !== null) return found;
  const isInstalled = await installDebian(['chromium', 'fonts-dejavu-core'], 'The pages are not tested');
  return isInstalled ? findChromium() : null;
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
