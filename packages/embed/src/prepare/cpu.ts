/** Selects the range of int8 weights that the CPU can multiply without saturation, for the model compiler. */

import { readFile } from 'node:fs/promises';
import type { WeightLimit } from '../compile/quantize/integers.ts';

/**
 * Returns the weight range for a CPU. ONNX Runtime multiplies unsigned 8-bit activations by signed 8-bit
 * weights. x86 CPUs without VNNI instructions use `vpmaddubsw`, which adds two products in 16 bits and
 * saturates: 255 × 127 × 2 does not fit, 255 × 63 × 2 does. So the full range is used where products are
 * summed in 32 bits (VNNI and all ARM64 kernels), and 7 bits in all other cases.
 *
 * @param cpuInfo content of /proc/cpuinfo on Linux, '' elsewhere
 */
export function weightLimitFor(arch: string, cpuInfo: string): WeightLimit {
  if (arch === 'arm64') return 127;
  return /^flags\s*:.*\b(avx512_vnni|avx_vnni)\b/m.test(cpuInfo) ? 127 : 63;
}

/** Returns the weight range for the CPU of this machine. */
export async function detectWeightLimit(): Promise<WeightLimit> {
  return weightLimitFor(process.arch, await readFile('/proc/cpuinfo', 'utf8').catch(() => ''));
}
