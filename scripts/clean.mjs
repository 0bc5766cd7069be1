/**
 * `npm run clean`: removes what `npm run build` and `npm test` made, but no packages, no models and no data.
 */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { workspaces } from './lib/compile.mjs';
import { ROOT } from './lib/root.mjs';

for (const folder of workspaces()) {
  for (const made of ['dist', 'tsconfig.tsbuildinfo']) {
    rmSync(join(ROOT, folder, made), { recursive: true, force: true });
  }
}
for (const made of ['.embedmill', 'coverage']) rmSync(join(ROOT, made), { recursive: true, force: true });
