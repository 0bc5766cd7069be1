/** Scripts and benchmarks are not type-checked: what they import from the packages must exist. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const IMPORT = /^import \{([^}]+)\} from '(@embedmill\/[^']+)';/gm;

const imported = ['bench', 'scripts', 'examples'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.mjs') && !path.includes('node_modules'))
    .flatMap((path) => {
      const source = readFileSync(join(ROOT, folder, path), 'utf8');
      return [...source.matchAll(IMPORT)].flatMap(([, names = '', specifier = '']) =>
        names
          .split(',')
          .map((name) => name.trim().split(' as ')[0]!)
          .filter((name) => name !== '' && !name.startsWith('type '))
          .map((name) => ({ file: join(folder, path), specifier, name })),
      );
    }),
);

it('finds what scripts and benchmarks import', async () => {
  expect(imported.length).toBeGreaterThan(50);
  const missing = [];
  for (const { file, specifier, name } of imported) {
    const module = (await import(specifier)) as Record<string, unknown>;
    if (!(name in module)) missing.push(`${file}: ${specifier} has no ${name}`);
  }
  expect(missing).toEqual([]);
});
