/**
 * Writes the optional package of this platform, which the loader finds where nothing was built:
 * `node packages/engine/scripts/prebuilt.mjs FOLDER` writes FOLDER/engine-<platform>-<arch>[-musl], for `npm publish`.
 */

import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prebuiltPackage } from '@embedmill/engine';
import { buildEngine } from './build.mjs';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));

const target = process.argv[2];
if (target === undefined) throw new Error('expected a folder: prebuilt.mjs FOLDER');
const result = await buildEngine();
if (typeof result === 'object') throw new Error(`no exact engine: ${result.skipped}`);

const { version, license } = JSON.parse(await readFile(join(PACKAGE, 'package.json'), 'utf8'));
const name = prebuiltPackage();
const folder = join(target, name.split('/')[1]);
await mkdir(folder, { recursive: true });
await copyFile(join(PACKAGE, 'dist', 'engine.node'), join(folder, 'engine.node'));
const manifest = {
  name,
  version,
  description: `The addon of @embedmill/engine for ${process.platform} on ${process.arch}`,
  license,
  os: [process.platform],
  cpu: [process.arch],
  ...(process.platform === 'linux' ? { libc: [name.endsWith('-musl') ? 'musl' : 'glibc'] } : {}),
  files: ['engine.node'],
};
await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
console.log(folder);
