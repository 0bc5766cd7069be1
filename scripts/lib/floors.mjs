/**
 * Floors of the source tree: which folders each folder may import. Used by check-direction.mjs and
 * structure.mjs.
 */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

/**
 * Folders of this repository that each folder may import in addition to itself. The first entry that contains
 * a file applies. docs/architecture.md shows the same rules. biome.json restricts third-party packages.
 */
export const FLOORS = {
  'packages/contract': [],
  'packages/engine': [],
  'packages/analysis': ['packages/contract'],
  'packages/client': ['packages/contract'],
  'packages/embed': ['packages/contract', 'packages/engine'],
  'packages/core/src/process': ['packages/contract'],
  'packages/core/src/hub': ['packages/contract', 'packages/core/src/process'],
  'packages/core/src/telemetry': ['packages/contract', 'packages/core/src/process'],
  'packages/core/src/formats': ['packages/contract'],
  'packages/core/src/redis': ['packages/contract', 'packages/core/src/process'],
  'packages/core/src/runs': ['packages/contract', 'packages/core/src/{process,formats,redis}'],
  'packages/core': ['packages/contract'],
  'apps/web': [
    'packages/{contract,analysis}',
    'packages/core/src/formats/tables',
    'packages/core/src/{formats,redis,runs} (types)',
  ],
  'apps/worker': ['packages/{contract,embed}', 'packages/core/src/{process,telemetry,redis,hub}'],
  'apps/producer': [
    'packages/{contract,analysis}',
    'packages/core/src/{process,telemetry,formats,redis,runs,hub}',
    'apps/web',
  ],
  'apps/cli/src/shell': ['packages/{contract,client,analysis}', 'packages/core/src/process'],
  'apps/cli/src/io': ['packages', 'apps/cli/src/shell'],
  'apps/cli/src/engine': ['packages', 'apps/cli/src/{shell,io}'],
  'apps/cli': ['packages', 'apps'],
};

/** All forms of imports that the direction check accepts; it rejects the others. */
const IMPORT =
  /(?:^|[^\w.])(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+\sfrom\s+)?(['"])([^'"\n]+)\2|\bimport\(\s*(['"])([^'"\n]+)\4/gm;

/**
 * The imports of a source text, in order.
 * @param {string} source
 * @returns {{ specifier: string, line: number, isType: boolean }[]} `line` counts from 1
 */
export function importsOf(source) {
  return [...source.matchAll(IMPORT)].map((match) => ({
    specifier: match[3] ?? match[5] ?? '',
    line: source.slice(0, match.index + match[0].length).split('\n').length,
    isType: match[1] !== undefined,
  }));
}

/**
 * The file or folder of this repository that an import resolves to, relative to the root.
 * @param {string} root
 * @param {string} file the importing file, relative to the root
 * @param {string} specifier as written
 * @returns {string | undefined} `undefined` for third-party packages and Node modules
 */
export function resolveImport(root, file, specifier) {
  if (specifier.startsWith('.')) return normalize(join(dirname(file), specifier)).replace('/dist/', '/src/');
  const [, name, path] = /^(@embedmill\/[\w-]+|embedmill)(?:\/(.+))?$/.exec(specifier) ?? [];
  if (name === undefined) return undefined;
  const folder = workspaces(root).get(name);
  if (folder === undefined) return undefined;
  const { exports } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  const target = exports?.[path === undefined ? '.' : `./${path}`]?.default;
  return target === undefined ? folder : normalize(join(folder, target)).replace('/dist/', '/src/');
}

const workspaceCache = new Map();

/** Folders of all workspaces by package name. */
function workspaces(root) {
  const known = workspaceCache.get(root);
  if (known !== undefined) return known;
  const found = new Map();
  for (const parent of ['packages', 'apps']) {
    if (!existsSync(join(root, parent))) continue;
    for (const name of readdirSync(join(root, parent))) {
      const manifest = join(root, parent, name, 'package.json');
      if (existsSync(manifest))
        found.set(JSON.parse(readFileSync(manifest, 'utf8')).name, `${parent}/${name}`);
    }
  }
  workspaceCache.set(root, found);
  return found;
}

/**
 * Why a file must not import a target; `undefined` if it may.
 * @param {string} file relative to the root
 * @param {string} target as returned by `resolveImport`
 * @param {boolean} isType whether only types are imported
 */
export function reasonAgainst(file, target, isType) {
  const floor = Object.keys(FLOORS).find((folder) => isWithin(file, folder));
  if (floor === undefined || isWithin(target, floor)) return undefined;
  const allowed = FLOORS[floor].flatMap((entry) => expand(entry));
  if (allowed.some(({ folder, typesOnly }) => isWithin(target, folder) && (isType || !typesOnly)))
    return undefined;
  const list = FLOORS[floor].length === 0 ? 'no other folder of this repository' : FLOORS[floor].join(', ');
  return `${floor} must not import ${floorOf(target)}; it may import ${list}.`;
}

function floorOf(target) {
  return (
    Object.keys(FLOORS).find((folder) => isWithin(target, folder)) ?? target.split('/').slice(0, 2).join('/')
  );
}

function isWithin(path, folder) {
  return path === folder || path.startsWith(`${folder}/`);
}

/** `packages/core/src/{redis,runs} (types)` → the folders, and whether only their types may be imported. */
function expand(entry) {
  const typesOnly = entry.endsWith(' (types)');
  const pattern = entry.replace(' (types)', '');
  const [, before, names, after] = /^(.*)\{(.*)\}(.*)$/.exec(pattern) ?? [];
  const folders =
    names === undefined ? [pattern] : names.split(',').map((name) => `${before}${name}${after}`);
  return folders.map((folder) => ({ folder, typesOnly }));
}

/** Source files of all packages and apps, relative to the root: `src/` and `scripts/`. */
export function sourceFiles(root) {
  return ['packages', 'apps']
    .filter((parent) => existsSync(join(root, parent)))
    .flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(root, parent, name)))
    .flatMap((folder) => ['src', 'scripts'].map((name) => join(folder, name)))
    .filter((folder) => existsSync(folder) && statSync(folder).isDirectory())
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true }).map((name) => relative(root, join(folder, String(name)))),
    )
    .filter((path) => /\.[cm]?[jt]sx?$/.test(path));
}
