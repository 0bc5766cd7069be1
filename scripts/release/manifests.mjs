/** The manifests of the published packages, made from those of the workspace. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../lib/root.mjs';

/** Platforms with prebuilt packages, as npm names them. Alpine has only the exact engine: ONNX Runtime needs glibc. */
export const PLATFORMS = {
  engine: [
    'linux-x64',
    'linux-arm64',
    'linux-x64-musl',
    'linux-arm64-musl',
    'darwin-x64',
    'darwin-arm64',
    'win32-x64',
  ],
  onnxruntime: ['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64', 'win32-arm64'],
};

/** Loaded on demand; the error of a missing one prints how to install it. */
export const ON_DEMAND = [
  '@duckdb/node-api',
  '@lancedb/lancedb',
  '@photostructure/sqlite',
  '@resvg/resvg-js',
];

const KEYWORDS = [
  'embeddings',
  'vectors',
  'onnx',
  'sentence-transformers',
  'all-MiniLM-L6-v2',
  'bulk',
  'semantic-search',
];

/** A manifest of the workspace. @param {string} folder relative to the root, for example `packages/client` */
export function manifestOf(folder) {
  return JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
}

/** The fields that every published package has. @param {string} folder of its source, relative to the root */
export function commonFields(folder) {
  const { repository, homepage, bugs } = manifestOf('.');
  return {
    license: 'Apache-2.0',
    author: 'The Embedmill authors',
    homepage,
    bugs,
    repository: { ...repository, directory: folder },
    keywords: KEYWORDS,
    publishConfig: { access: 'public', provenance: true },
  };
}

/**
 * The manifest of the bundled command.
 * @param {readonly string[]} installed packages that the bundle imports and that every user gets
 */
export function commandManifest(installed) {
  const { name, version, description, engines, bin } = manifestOf('apps/cli');
  const versions = dependencyVersions();
  return {
    name,
    version,
    description,
    ...commonFields('apps/cli'),
    type: 'module',
    engines,
    bin,
    exports: { './package.json': './package.json' },
    files: ['assets', 'bin', 'dist', 'LICENSE', 'NOTICE'],
    dependencies: pick(versions, installed),
    optionalDependencies: platformPackages(version),
    peerDependencies: pick(versions, ON_DEMAND),
    peerDependenciesMeta: Object.fromEntries(ON_DEMAND.map((each) => [each, { optional: true }])),
  };
}

/**
 * The manifest of a package that people import: sources are not published, and ONNX Runtime comes for one platform.
 * @param {string} folder relative to the root
 */
export function libraryManifest(folder) {
  const { dependencies = {}, exports, files, ...rest } = manifestOf(folder);
  const { 'onnxruntime-node': runtime, 'node-api-headers': headers, ...kept } = dependencies;
  const isEngine = headers !== undefined;
  const prebuilt = {
    ...(isEngine && only('engine', rest.version)),
    ...(runtime && only('onnxruntime', rest.version)),
  };
  return {
    ...rest,
    ...commonFields(folder),
    exports: Object.fromEntries(
      Object.entries(exports).map(([path, { types, default: code }]) => [path, { types, default: code }]),
    ),
    files: [...files.filter((file) => file === 'dist' || file === 'data'), 'LICENSE', 'NOTICE'],
    dependencies: kept,
    ...(Object.keys(prebuilt).length > 0 && { optionalDependencies: prebuilt }),
  };
}

/**
 * The manifest of ONNX Runtime for one platform.
 * @param {string} platform for example `linux-x64`
 */
export function runtimeManifest(platform) {
  const [os, cpu] = platform.split('-');
  const { version: runtime } = manifestOf('node_modules/onnxruntime-node');
  return {
    name: `@embedmill/onnxruntime-${platform}`,
    version: manifestOf('apps/cli').version,
    description: `ONNX Runtime ${runtime} for Node on ${platform}: the unchanged files of onnxruntime-node`,
    ...commonFields('packages/embed'),
    license: 'MIT',
    os: [os],
    cpu: [cpu],
    ...(os === 'linux' && { libc: ['glibc'] }),
    main: 'dist/index.js',
    types: 'dist/index.d.ts',
    files: ['bin', 'dist', 'LICENSE'],
    dependencies: { 'onnxruntime-common': runtime },
  };
}

function platformPackages(version) {
  return { ...only('engine', version), ...only('onnxruntime', version) };
}

function only(kind, version) {
  return Object.fromEntries(PLATFORMS[kind].map((platform) => [`@embedmill/${kind}-${platform}`, version]));
}

/** Exact versions of all packages that a workspace names. */
function dependencyVersions() {
  const manifests = ['.', ...manifestFolders()].map(manifestOf);
  return Object.assign(
    {},
    ...manifests.flatMap(({ dependencies, devDependencies, optionalDependencies }) => [
      devDependencies,
      optionalDependencies,
      dependencies,
    ]),
  );
}

function manifestFolders() {
  return ['apps/cli', 'apps/producer', 'apps/worker', 'packages/core', 'packages/embed'];
}

function pick(versions, names) {
  return Object.fromEntries(
    names.map((name) => {
      if (versions[name] === undefined)
        throw new Error(`no package of the workspace has ${name} among its dependencies`);
      return [name, versions[name]];
    }),
  );
}
