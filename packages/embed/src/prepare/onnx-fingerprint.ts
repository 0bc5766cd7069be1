/**
 * Completes the fingerprint of a model that ONNX Runtime runs.
 *
 * Its kernels round differently on different CPUs and in different versions, so equal files do not mean equal
 * vectors. The vectors of the golden sentences show which arithmetic this process has.
 *
 * Decision: docs/decisions/0120.
 */

import { Embedder } from '../embedder/embedder.ts';
import { goldenDigest } from '../golden/golden-set.ts';
import type { PreparedModel } from '../types.ts';
import { fingerprintOf } from './fingerprint.ts';

/**
 * Adds the fingerprint: a hash of `files` and of the vectors that this process computes for the golden
 * sentences. Opens the model once, which takes about half a second.
 * @param files hash of everything that the files of the model determine
 * @throws {EmbedError} if the model cannot be opened
 */
export async function withOnnxFingerprint(
  model: Omit<PreparedModel, 'fingerprint'>,
  files: string,
): Promise<PreparedModel> {
  const embedder = await Embedder.open({ ...model, fingerprint: '' });
  try {
    return { ...model, fingerprint: fingerprintOf({ files, golden: await goldenDigest(embedder) }) };
  } finally {
    await embedder.close();
  }
}
