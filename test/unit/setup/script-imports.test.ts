/** Scripts and benchmarks are not type-checked: what they import from the packages must exist. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const IMPORT = /^import \{([^}]+)\} from '(@embedmill\/[^']+)';/gm;

const RELATIVE_IMPORT = /^(?:import|export) [^;]*?from '(\.[^']+)';/gm;

const scripts = ['bench', 'scripts', 'examples'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.mjs') && !path.includes('node_modules'))
    .map((path) => ({
      file: join(folder, path),
      source: readFileSync(join(ROOT, folder, path), 'utf8'),
    })),
);

const imported = scripts.flatMap(({ file, source }) =>
  [...source.matchAll(IMPORT)].flatMap(([, names = '', specifier = '']) =>
    names
      .split(',')
      .map((name) => name.trim().split(' as ')[0]!)
      .filter((name) => name !== '' && !name.startsWith('type '))
      .map((name) => ({ file, specifier, name })),
  ),
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

it('finds the files that scripts and benchmarks import', () => {
  const files = scripts.flatMap(({ file, source }) =>
    [...source.matchAll(RELATIVE_IMPORT)].map(([, path = '']) => ({ file, path: join(dirname(file), path) })),
  );
  expect(files.length).toBeGreaterThan(50);
  // A built file that a build left behind is not enough.
  const sourceOf = (path: string) => path.replace('/dist/', '/src/').replace(/(?<=\/src\/.*)\.js$/, '.ts');
  const missing = files.filter(({ path }) => !existsSync(join(ROOT, sourceOf(path))));
  expect(missing).toEqual([]);
});
