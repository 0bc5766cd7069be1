/** Checks Node, the CPU, threads and memory. */

import { existsSync, readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { type Config, defaultThreads, readAllowedCpus, readCpuQuota } from '@embedmill/core/process';
import { formatBytes, formatNoun } from '../../shell/terminal/numbers.ts';
import type { Finding } from './types.ts';

/** The oldest Node version tested. */
const MIN_NODE = [20, 19] as const;

/**
 * Memory of the whole stack, measured with `ps` while embedding reviews on Node 20: the worker 226 MB and 63
 * MB per int8 thread, producer and command 110 MB each; Redis up to its limit of 512 MiB. Threads count
 * twice, to allow for fp32.
 */
const BYTES_PER_THREAD = 130_000_000;
const BYTES_BESIDE = 1_000_000_000;

/** Checks the version of Node. @param given as in `process.versions.node` */
export function checkNode(given: string): Finding {
  const [major = 0, minor = 0] = given.split('.').map(Number);
  const isNew = major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1]);
  return isNew
    ? { health: 'good', subject: 'Node', message: given }
    : { health: 'broken', subject: 'Node', message: `${given}; ${MIN_NODE.join('.')} or later is required` };
}

/** Checks the architecture and the instruction sets that int8 uses. */
export function checkCpu(): Finding {
  const model = cpus()[0]?.model.trim() ?? 'unknown';
  if (arch() === 'arm64') return { health: 'good', subject: 'CPU', message: `${model} (arm64)` };
  if (arch() !== 'x64') {
    return {
      health: 'broken',
      subject: 'CPU',
      message: `${model} (${arch()}); ONNX Runtime needs x64 or arm64`,
    };
  }
  if (!existsSync('/proc/cpuinfo')) return { health: 'good', subject: 'CPU', message: `${model} (x64)` };
  return describeFeatures(model, readFileSync('/proc/cpuinfo', 'utf8'));
}

/** Checks the instruction sets. @param cpuInfo the contents of /proc/cpuinfo */
export function describeFeatures(model: string, cpuInfo: string): Finding {
  const flags = new Set((/^flags\s*:(.*)$/m.exec(cpuInfo)?.[1] ?? '').trim().split(/\s+/));
  const found = ['avx2', 'avx512f', 'avx_vnni', 'avx512_vnni', 'amx_int8'].filter((flag) => flags.has(flag));
  const message = `${model}: ${found.join(', ') || 'no AVX2'}`;
  if (!flags.has('avx2'))
    return { health: 'notice', subject: 'CPU', message: `${message}; expect a quarter of the normal speed` };
  const hasVnni = flags.has('avx_vnni') || flags.has('avx512_vnni');
  return hasVnni
    ? { health: 'good', subject: 'CPU', message }
    : {
        health: 'notice',
        subject: 'CPU',
        message: `${message}; without VNNI int8 uses 7-bit weights and is slower`,
      };
}

/** Compares the configured threads with the limits of the control group. */
export function checkThreads({ threads }: Config): Finding {
  const quota = readCpuQuota();
  const fitting = defaultThreads();
  const limits = [
    `${formatNoun(availableParallelism(), 'CPU')} here`,
    ...(readAllowedCpus() < availableParallelism() ? [`${readAllowedCpus()} allowed`] : []),
    quota === undefined ? 'no quota' : `quota ${quota}`,
  ].join(', ');
  if (threads !== undefined && threads > fitting) {
    return {
      health: 'notice',
      subject: 'Threads',
      message: `EMBEDMILL_THREADS=${threads} exceeds the limit (${limits}); ${fitting} would be faster`,
    };
  }
  return { health: 'good', subject: 'Threads', message: `${threads ?? fitting} (${limits})` };
}

/** Compares free memory with the needs of the whole stack. */
export function checkMemory({ threads }: Config): Finding {
  const needed = BYTES_BESIDE + (threads ?? defaultThreads()) * BYTES_PER_THREAD;
  const message = `${formatBytes(freemem())} of ${formatBytes(totalmem())} free`;
  return freemem() >= needed
    ? { health: 'good', subject: 'Memory', message }
    : {
        health: 'notice',
        subject: 'Memory',
        message: `${message}; all processes together may need ${formatBytes(needed)}`,
      };
}
