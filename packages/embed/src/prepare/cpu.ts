/** Tells which weight range the int8 products of this machine's CPU can take; the model compiler asks. */
import { readFile } from 'node:fs/promises';
import type { WeightLimit } from '../compile/quantize/integers.ts';

/**
 * ONNX Runtime multiplies unsigned 8-bit activations with signed 8-bit weights. x86 CPUs without a VNNI instruction
 * do it with `vpmaddubsw`, which adds two products in 16 bits and saturates: 255 × 127 × 2 does not fit, 255 × 63 × 2
 * does. So the full range is used where products are summed in 32 bits (VNNI, and every ARM64 kernel), and 7 bits
 * wherever that is not certain.
 *
 * @param cpuInfo the text of Linux's /proc/cpuinfo, '' elsewhere
 */
export function weightLimitFor(arch: string, cpuInfo: string): WeightLimit {
  if (arch === 'arm64') return 127;
  return /^flags\s*:.*\b(avx512_vnni|avx_vnni)\b/m.test(cpuInfo) ? 127 : 63;
}

/** The weight range of the CPU that this process runs on. */
export async function detectWeightLimit(): Promise<WeightLimit> {
  return weightLimitFor(process.arch, await readFile('/proc/cpuinfo', 'utf8').catch(() => ''));
}
