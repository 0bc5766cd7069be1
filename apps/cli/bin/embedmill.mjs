#!/usr/bin/env node
/** The `embedmill` command: runs the built entry, which a fresh git checkout builds first. */

import { existsSync } from 'node:fs';

const entry = new URL('../dist/main.js', import.meta.url);
const checkoutSetup = new URL('../../../scripts/lib/setup.mjs', import.meta.url);

if (!existsSync(entry)) await build();
if (existsSync(entry)) await import(entry.href);

/** Builds in a checkout; says what to do anywhere else. */
async function build() {
  if (!existsSync(checkoutSetup)) {
    process.stderr.write(
      'embedmill: dist/main.js is missing, so this package is damaged. Install it again.\n',
    );
    process.exitCode = 1;
    return;
  }
  process.stderr.write('embedmill: this checkout is not built yet; building it now.\n');
  const { main } = await import(new URL('./main.mjs', checkoutSetup).href);
  const { setUp } = await import(checkoutSetup.href);
  await main(() => setUp({ model: false }));
}
