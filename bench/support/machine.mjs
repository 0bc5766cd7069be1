/** One line about the machine and the software, printed above every table. */

import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { defaultThreads } from '@embedmill/core/process';

/**
 * Describes CPU, memory, versions and date, for example `AMD EPYC · 2 cores (avx2 avx512f avx512_vnni) · 24
 * GB · Node v20.20.2 · onnxruntime-node 1.30.0 · 2026-11-23`.
 */
export function describeMachine() {
  const flags = readFlags();
  const wanted = ['avx2', 'avx512f', 'avx512_vnni', 'avx_vnni', 'amx_int8', 'asimddp', 'i8mm'].filter(
    (flag) => flags.has(flag),
  );
  const ort = JSON.parse(
    readFileSync(new URL('../../node_modules/onnxruntime-node/package.json', import.meta.url)),
  );
  return [
    `${cpus()[0]?.model ?? 'unknown CPU'} · ${defaultThreads()} cores${wanted.length > 0 ? ` (${wanted.join(' ')})` : ''}`,
    `${Math.round(totalmem() / 1e9)} GB`,
    `Node ${process.version}`,
    `onnxruntime-node ${ort.version}`,
    new Date().toISOString().slice(0, 10),
  ].join(' · ');
}

function readFlags() {
  try {
    const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'));
    return new Set(line?.[1]?.split(' ') ?? []);
  } catch {
    return new Set();
  }
}
