/** Checks that this machine computes the recorded vectors of a model. */

import { checkGolden, Embedder, type PreparedModel } from '@embedmill/embed';

/**
 * Throws if this CPU and model file do not reproduce the recorded vectors: such a worker must not join the
 * queue. Passes for models without recorded vectors.
 */
export async function checkModel(model: PreparedModel): Promise<void> {
  const embedder = await Embedder.open(model);
  try {
    const report = await checkGolden(embedder);
    if (!report.ok) throw new Error(`the model does not reproduce the recorded vectors: ${report.message}`);
  } finally {
    await embedder.close();
  }
}
