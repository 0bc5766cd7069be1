/** Vite plugin for all test configs: the tests import our packages from their TypeScript source, never from a build. */

import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Plugin } from 'vitest/config';

/** The export condition under which each package names its source. */
const SOURCE_CONDITION = 'embedmill-source';

const PACKAGES_FOLDER = join(import.meta.dirname, '../../node_modules');
/** `embedmill`, `@embedmill/core` and sub-paths such as `@embedmill/core/batch`. */
const PACKAGE_IMPORT = /^(?<name>@embedmill\/[^/]+|embedmill)(?<subPath>\/.+)?$/;
/** `packages/<name>/src/…ts` and `apps/<name>/src/…ts`. */
const SOURCE_FILE = /^(?<folder>.*\/(?:packages|apps)\/[^/]+)\/src\/(?<file>.+)\.ts$/;

/**
 * Two rules, so that a module has one instance however a test imports it, and what Node starts by itself (threads, child
 * processes) or reads beside a module (data, pages) is what `npm test` has built:
 *
 * - An import of one of our packages resolves to the file under `embedmill-source` in its `exports`. A plain
 *   `resolve.conditions` does not do: vitest passes conditions on to Node, whose threads cannot load TypeScript.
 * - `import.meta.url` in a source file is the URL of its built file.
 */
export function packagesFromSource(): Plugin {
  return {
    name: 'embedmill:packages-from-source',
    enforce: 'pre',
    resolveId(id) {
      const { name, subPath = '' } = PACKAGE_IMPORT.exec(id)?.groups ?? {};
      // A package by platform is not part of the workspace.
      if (name === undefined || !existsSync(join(PACKAGES_FOLDER, name))) return null;
      const folder = realpathSync(join(PACKAGES_FOLDER, name));
      const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const source = exports[`.${subPath}`]?.[SOURCE_CONDITION];
      if (source === undefined) throw new Error(`${id}: no export of ${name} with "${SOURCE_CONDITION}"`);
      return join(folder, source);
    },
    transform(code, id) {
      const { folder, file } = SOURCE_FILE.exec(id)?.groups ?? {};
      if (folder === undefined || !code.includes('import.meta.url')) return null;
      const url = pathToFileURL(`${folder}/dist/${file}.js`).href;
      return { code: code.replaceAll('import.meta.url', JSON.stringify(url)), map: null };
    },
  };
}
