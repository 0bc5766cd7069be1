/** Computes model fingerprints: models with equal fingerprints produce equal vectors. */

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import { ARITHMETIC_REVISION, TOKENIZER_UNICODE, WEIGHTS_REVISION } from '@embedmill/engine';
import { EXACT_REVISION } from '../compile/exact.ts';
import { openWordPiece } from '../text/wordpiece.ts';
import { cachedDigest, fileDigest } from './file-digest.ts';

/**
 * Hashes a weights file and, for an ONNX file, the files with its external data.
 * @throws {EmbedError} `MODEL_INVALID` or `MODEL_NOT_FOUND` if the ONNX file cannot be read
 */
export async function weightsDigest(path: string, cacheDir: string): Promise<string> {
  const files = (await mayHaveExternalData(path))
    ? await (await import('../compile/onnx/graph-reader.ts')).onnxFiles(path)
    : [path];
  if (files.length === 1) return await cachedDigest(path, cacheDir);
  const digests = await Promise.all(
    files.map(async (file) => [basename(file), await cachedDigest(file, cacheDir)]),
  );
  return fingerprintOf(Object.fromEntries(digests));
}

/** External data is in the folder of its ONNX file; most folders have none, and reading a file for it takes long. */
async function mayHaveExternalData(path: string): Promise<boolean> {
  if (extname(path) !== '.onnx') return false;
  return (await readdir(dirname(path))).some((name) => !/\.(onnx|json|md|txt)$/.test(name));
}

/**
 * Hashes a tokenizer.json, and the Unicode version that its ids depend on if it is not the one of the native tokenizer:
 * the library has the version of Node.js.
 * @param unicode version of Node.js
 */
export async function tokenizerDigest(
  path: string,
  unicode = process.versions.unicode ?? 'none',
): Promise<string> {
  const file = await fileDigest(path);
  if (unicode === TOKENIZER_UNICODE) return file;
  const isNative = openWordPiece(JSON.parse(await readFile(path, 'utf8'))) !== undefined;
  return isNative ? file : fingerprintOf({ file, unicode });
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
    compiler: EXACT_REVISION,
    arithmetic: ARITHMETIC_REVISION,
    packing: WEIGHTS_REVISION,
  });
}
