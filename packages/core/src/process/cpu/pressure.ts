/** How long work waited for a CPU (pressure stall information), for the saturation metrics of producer and workers. */

import { type CpuReaderOptions, cgroupV2Folders, readText } from './cgroup.ts';

/** The `some` line of a pressure file: at least one task was ready to run and had to wait. */
export interface CpuPressure {
  /** The control group's own pressure, or the whole machine's. */
  source: 'cgroup-v2' | 'machine';
  /** Share of the last 10 seconds, 0 to 1. */
  last10sRatio: number;
  /** Share of the last 60 seconds, 0 to 1. */
  last60sRatio: number;
  /** Share of the last 300 seconds, 0 to 1. */
  last300sRatio: number;
  /** Seconds of waiting since the group was made or the machine started; only grows. */
  totalSeconds: number;
}

/** CPU pressure of the nearest control group that has it, else of the machine; undefined where the kernel keeps none. */
export function readCpuPressure({ root = '/' }: CpuReaderOptions = {}): CpuPressure | undefined {
  for (const folder of cgroupV2Folders(root)) {
    const pressure = parsePressure('cgroup-v2', readText(folder, 'cpu.pressure'));
    if (pressure !== undefined) return pressure;
  }
  return parsePressure('machine', readText(root, 'proc/pressure/cpu'));
}

/** `some avg10=1.53 avg60=0.87 avg300=0.31 total=58761459`: averages in per cent, total in µs (kernel accounting/psi.rst). */
function parsePressure(source: CpuPressure['source'], text: string | undefined): CpuPressure | undefined {
  const some = /^some avg10=([\d.]+) avg60=([\d.]+) avg300=([\d.]+) total=(\d+)$/m.exec(text ?? '');
  if (some === null) return undefined;
  return {
    source,
    last10sRatio: Number(some[1]) / 100,
    last60sRatio: Number(some[2]) / 100,
    last300sRatio: Number(some[3]) / 100,
    totalSeconds: Number(some[4]) / 1e6,
  };
}
