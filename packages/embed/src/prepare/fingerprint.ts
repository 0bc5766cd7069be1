/** Computes model fingerprints: models with equal fingerprints produce equal vectors. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ARITHMETIC_REVISION, WEIGHTS_REVISION } from '@embedmill/engine';

/** Returns the SHA-256 of a file in hexadecimal. */
export async function fileDigest(path: string | URL): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/**
 * Hashes a weights file and the external data of an ONNX file, which converters store beside it as `<file>_data`
 * or the like.
 */
export async function weightsDigest(path: string): Promise<string> {
  const folder = dirname(path);
  const names = (await readdir(folder)).filter((name) => name.startsWith(basename(path))).sort();
  if (names.length === 1) return await fileDigest(path);
  const digests = await Promise.all(names.map(async (name) => [name, await fileDigest(join(folder, name))]));
  return fingerprintOf(Object.fromEntries(digests));
}

/** Returns 16 hexadecimal characters that hash everything that determines a vector. */
export function fingerprintOf(parts: Record<string, string | number>): string {
  const text = JSON.stringify(Object.entries(parts).sort(([a], [b]) => (a < b ? -1 : 1)));
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Fingerprint of a model of the exact engine: its bytes depend on the revisions and on no CPU. */
export function exactFingerprint(parts: Record<string, string | number>): string {
  return fingerprintOf({
    ...parts,
    engine: 'exact',
    arithmetic: ARITHMETIC_REVISION,
    packing: WEIGHTS_REVISION,
  });
}
