/**
 * Copies the library of ONNX Runtime with AVX-512 disabled, so that the benchmark can show the speed on older
 * CPUs. The library has no option for that: in the copy, the jump taken if the operating system saves the
 * AVX-512 registers is replaced. A child process loads the copy with LD_PRELOAD.
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
 * Hexadecimal pattern of `test <CPUID.7.EBX>, AVX512F; je +n; …; test al, 0xe0; je <AVX-512 kernels>`; the
 * last instruction has six bytes.
 */
const CHECK = /f7c[0-7]0000010074(?:[0-9a-f]{2}){1,12}?a8e0(0f84)/dg;

/** Six-byte no-operation that replaces the jump. */
const NOTHING = [0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00];

/**
 * Writes the copy to a temporary folder.
 * @returns {string | undefined} its path; `undefined` on a CPU without AVX-512 or if the pattern is not found
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
