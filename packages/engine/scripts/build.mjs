/** Builds the addon of this machine: `node packages/engine/scripts/build.mjs`; `npm run build` calls it. */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileAll, findCompiler, importNode, link, nodeApiHeaders } from './compiler.mjs';
import { ADDON_SOURCES, KERNELS } from './targets.mjs';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const NATIVE = join(PACKAGE, 'native');
const OUTPUT = join(PACKAGE, 'dist', 'engine.node');
const isWindows = process.platform === 'win32';
const KEY_FILE = join(PACKAGE, 'dist', 'engine.key');

/**
 * Builds `dist/engine.node` unless sources, flags and compiler are those of the last time.
 *
 * @returns {Promise<'built' | 'current' | { skipped: string }>} `skipped` says why this machine gets no addon
 */
export async function buildEngine() {
  if (!(process.arch in KERNELS)) return { skipped: `there is no kernel for ${process.arch}` };
  const compiler = await findCompiler();
  if (compiler === undefined) return { skipped: 'it needs a C++ compiler: g++ 11 or clang 14' };
  const key = await sourceKey(compiler.version);
  if (existsSync(OUTPUT) && (await readFile(KEY_FILE, 'utf8').catch(() => '')) === key) return 'current';

  await mkdir(join(PACKAGE, 'dist'), { recursive: true });
  const folder = await mkdtemp(join(PACKAGE, 'dist', 'engine-'));
  try {
    const objects = await compileAll({
      compiler: compiler.command,
      arch: process.arch,
      folder,
      // All code for Windows can be loaded at any address.
      flags: [...(isWindows ? [] : ['-fPIC']), '-isystem', nodeApiHeaders, '-DNAPI_VERSION=8'],
      sources: ADDON_SOURCES,
    });
    await link(compiler.command, objects, join(folder, 'engine.node'), await linkFlags(folder));
    // Renamed, because a process may have the old one loaded.
    await rename(join(folder, 'engine.node'), OUTPUT);
    await writeFile(KEY_FILE, key);
  } catch (error) {
    return { skipped: `compiling it failed: ${firstLine(error)}` };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return 'built';
}

/** The flags that link an addon: Node's functions are found when it is loaded. */
async function linkFlags(folder) {
  if (process.platform === 'darwin') return ['-bundle', '-undefined', 'dynamic_lookup'];
  if (!isWindows) return ['-shared', '-static-libstdc++', '-static-libgcc', '-s'];
  return ['-shared', '-fuse-ld=lld', ...(await importNode(folder))];
}

/** A digest of everything that the addon's bytes depend on. */
async function sourceKey(compilerVersion) {
  const hash = createHash('sha256').update(`${compilerVersion} ${process.platform} ${process.arch}\n`);
  for (const folder of [NATIVE, join(PACKAGE, 'scripts')]) {
    const names = (await readdir(folder, { recursive: true })).filter((name) => /\.(h|cpp|mjs)$/.test(name));
    for (const name of names.sort()) hash.update(`${name}\n`).update(await readFile(join(folder, name)));
  }
  return hash.digest('hex');
}

function firstLine(error) {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const result = await buildEngine();
  console.log(typeof result === 'string' ? `exact engine: ${result}` : `No exact engine: ${result.skipped}.`);
}
