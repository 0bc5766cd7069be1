/**
 * Makes a copy of ONNX Runtime's library that takes this CPU for one without AVX-512, so that the bench can
 * tell users of older machines what to expect. The library has no switch for it: the copy loses the one jump
 * that is taken when the operating system saves the AVX-512 registers. A child loads it with LD_PRELOAD in
 * place of the original.
 */

import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LIBRARY = new URL(
  '../../node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1',
  import.meta.url,
);

/**
 * In hex: `test <CPUID.7.EBX>, AVX512F; je +n; …; test al, 0xe0; je <the AVX-512 kernels>`, the last with its
 * six bytes.
 */
const CHECK = /f7c[0-7]0000010074(?:[0-9a-f]{2}){1,12}?a8e0(0f84)/dg;

/** A six-byte instruction that does nothing, over the jump. */
const NOTHING = [0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00];

/**
 * @returns {string | undefined} the path of the copy; undefined where there is nothing to hide or the check
 * is not found
 */
export function libraryWithoutAvx512() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  if (!existsSync(LIBRARY) || !/\bavx512f\b/.test(readFileSync('/proc/cpuinfo', 'utf8'))) return undefined;
  const bytes = readFileSync(fileURLToPath(LIBRARY));
  const found = [...bytes.toString('hex').matchAll(CHECK)].filter((match) => match.index % 2 === 0);
  if (found.length !== 1) return undefined;
  bytes.set(NOTHING, found[0].indices[1][0] / 2);
  const copy = join(mkdtempSync(join(tmpdir(), 'embedmill-avx2-')), 'libonnxruntime.so.1');
  writeFileSync(copy, bytes);
  return copy;
}
