/** `npm run clean`: removes the output of `npm run build` and `npm test`; packages, models and data stay. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { workspaces } from './lib/compile.mjs';
import { ROOT } from './lib/root.mjs';

for (const folder of workspaces()) {
  for (const name of ['dist', 'tsconfig.tsbuildinfo']) {
    rmSync(join(ROOT, folder, name), { recursive: true, force: true });
  }
}
for (const name of ['.embedmill', 'coverage']) rmSync(join(ROOT, name), { recursive: true, force: true });
