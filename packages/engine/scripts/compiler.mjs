/** Runs the C++ compiler over the engine's sources, several files at a time; the builds of the addon and of the tests use it. */

import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { def_paths as nodeApiFunctions, include_dir as nodeApiHeaders } from 'node-api-headers';
import { COMMON_FLAGS, KERNELS, SHARED_SOURCES } from './targets.mjs';

export { nodeApiHeaders };

const run = promisify(execFile);
const NATIVE = fileURLToPath(new URL('../native', import.meta.url));

/** Oldest compilers that know all instruction sets and C++20. */
const MIN_VERSION = { gcc: 11, clang: 14 };

/**
 * g++ for Windows does not align AVX registers on the stack (https://gcc.gnu.org/bugzilla/show_bug.cgi?id=54412), so
 * its addon would crash.
 */
const COMPILERS = process.platform === 'win32' ? ['clang++'] : ['g++', 'clang++'];

/** $CXX, g++ or clang++, the first that is new enough; undefined when none is. */
export async function findCompiler() {
  for (const command of [process.env.CXX, ...COMPILERS].filter(Boolean)) {
    const version = await run(command, ['--version']).then(
      ({ stdout }) => stdout.split('\n', 1)[0],
      () => undefined,
    );
    if (version === undefined) continue;
    const min = /clang/.test(version) ? MIN_VERSION.clang : MIN_VERSION.gcc;
    const major = Number(/(\d+)\.\d+/.exec(version.replace(/\(.*?\)/g, ''))?.[1]);
    if (major >= min) return { command, version };
  }
  return undefined;
}

/**
 * Compiles the shared sources, `sources` and all kernels of `arch` into `folder`.
 *
 * @param {object} options
 * @param {string} options.compiler
 * @param {'x64' | 'arm64' | 'wasm32'} options.arch
 * @param {string} options.folder
 * @param {string[]} [options.flags] of every file
 * @param {string[]} options.sources relative to native/
 * @param {Record<string, string[]>} [options.kernels] the kernels and their flags; default: all of `arch`
 * @returns {Promise<string[]>} the object files
 */
export async function compileAll({ compiler, arch, folder, flags = [], sources, kernels = KERNELS[arch] }) {
  const files = [
    // The kernels first: they take longest.
    ...Object.entries(kernels)
      .reverse()
      .map(([name, own]) => ({ source: `kernels/${name}.cpp`, own })),
    ...[...SHARED_SOURCES, ...sources].map((source) => ({ source, own: [] })),
  ];
  const objects = files.map(({ source }) => join(folder, `${source.replace(/\W/g, '-')}.o`));
  let next = 0;
  const worker = async () => {
    while (next < files.length) {
      const index = next++;
      const { source, own } = files[index];
      const input = join(NATIVE, source);
      await run(compiler, [...COMMON_FLAGS, ...flags, ...own, '-c', input, '-o', objects[index]]);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return objects;
}

/** Links object files to `output`. */
export async function link(compiler, objects, output, flags = []) {
  await run(compiler, [...objects, ...flags, '-o', output]);
}

/** Writes the libraries with which an addon for Windows imports the functions of node.exe; returns their paths. */
export async function importNode(folder) {
  return Promise.all(
    Object.entries(nodeApiFunctions).map(async ([name, definitions]) => {
      const library = join(folder, `${name}.lib`);
      await run('llvm-dlltool', ['-m', 'i386:x86-64', '-d', definitions, '-l', library]);
      return library;
    }),
  );
}
