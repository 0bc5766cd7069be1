/** The scripts of test/compose on a machine without Docker. This suite starts no containers. */

import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';
import { startNode } from '../../support/process.ts';

describe('a script that needs Docker', () => {
  it.each(['main.mjs', 'autoscale.mjs', 'images.mjs'])(
    '%s reports that it was skipped, and why',
    async (name) => {
      const path = fileURLToPath(new URL(`../../compose/${name}`, import.meta.url));
      const script = startNode([path], { env: { PATH: temporaryFolder() } });
      expect(await script.waitForExit()).toEqual({ code: 0, signal: null });
      expect(script.stdout).toMatch(
        /^SKIPPED: no Docker engine responds \(`docker info`\), so .* not run\n$/,
      );
      expect(script.stderr).toBe('');
    },
  );
});
