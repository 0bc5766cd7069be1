/** Files on this machine, pipes and stdin as sources. */

import { createHash } from 'node:crypto';
import { createReadStream, type Stats, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { addAbortSignal } from 'node:stream';
import { openFileBytes } from '@embedmill/core/formats';
import { UNKNOWN_CONTENTS } from './identity.ts';
import type { ByteSource, InputIdentity } from './types.ts';

/** Bytes hashed at each end of a file. */
const EDGE_BYTES = 1024 * 1024;

/** The bytes that arrive at stdin. */
export const STDIN: ByteSource = {
  kind: 'bytes',
  name: 'stdin',
  fileName: 'stdin',
  path: null,
  isStream: true,
  size: () => null,
  identify: async () => UNKNOWN_CONTENTS,
  open: ({ stdin, signal }) => addAbortSignal(signal, stdin),
  openRandom: async () => null,
};

/** A file or named pipe. */
export function fileSource(name: string, stats: Stats): ByteSource {
  const path = resolve(name);
  const isStream = !stats.isFile();
  return {
    kind: 'bytes',
    name,
    fileName: basename(path),
    path,
    isStream,
    size: () => (isStream ? null : statSync(path).size),
    identify: () => identifyFile(path),
    open: ({ signal }) => addAbortSignal(signal, createReadStream(path)),
    openRandom: async () => (isStream ? null : openFileBytes(path)),
  };
}

/**
 * Hashes both ends of a file. This detects most changes at a fixed cost, even for 100 GB; later every part is
 * compared with its receipt.
 */
export async function identifyFile(path: string): Promise<InputIdentity> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const hash = createHash('sha256');
    for (const start of [0, Math.max(EDGE_BYTES, size - EDGE_BYTES)]) {
      const edge = Buffer.alloc(Math.max(0, Math.min(EDGE_BYTES, size - start)));
      const { bytesRead } = await file.read(edge, 0, edge.length, start);
      hash.update(edge.subarray(0, bytesRead));
    }
    return { bytes: size, sha256: hash.digest('hex') };
  } finally {
    await file.close();
  }
}
