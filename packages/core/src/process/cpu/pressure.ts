/** Reads CPU pressure stall information (PSI): how long runnable tasks waited for a CPU. */

import { type CpuReaderOptions, cgroupV2Folders, readText } from './cgroup.ts';

/** The `some` line of a pressure file: time in which at least one runnable task waited. */
export interface CpuPressure {
  /** Whether the figures are of the control group or of the machine. */
  source: 'cgroup-v2' | 'machine';
  /** Share of the last 10 seconds, 0 to 1. */
  last10sRatio: number;
  /** Share of the last 60 seconds, 0 to 1. */
  last60sRatio: number;
  /** Share of the last 300 seconds, 0 to 1. */
  last300sRatio: number;
  /** Seconds of waiting since the group was created or the machine started; never decreases. */
  totalSeconds: number;
}

/** CPU pressure of the nearest control group that reports it, else of the machine; undefined without PSI. */
export function readCpuPressure({ root = '/' }: CpuReaderOptions = {}): CpuPressure | undefined {
  for (const folder of cgroupV2Folders(root)) {
    const pressure = parsePressure('cgroup-v2', readText(folder, 'cpu.pressure'));
    if (pressure !== undefined) return pressure;
  }
  return parsePressure('machine', readText(root, 'proc/pressure/cpu'));
}

/**
 * Parses `some avg10=1.53 avg60=0.87 avg300=0.31 total=58761459`: percent and µs (kernel accounting/psi.rst).
 */
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
