/** Checks that this machine computes the recorded vectors of a model. */

import { checkGolden, Embedder, type PreparedModel, type SharedTokenizer } from '@embedmill/embed';

/**
 * Throws if this CPU and model file do not reproduce the recorded vectors: such a worker must not join the
 * queue. Passes for models without recorded vectors.
 */
export async function checkModel(
  model: PreparedModel,
  tokenizer: SharedTokenizer | undefined,
): Promise<void> {
  const embedder = await Embedder.open(model, { tokenizer });
  try {
    const report = await checkGolden(embedder);
    if (!report.ok) throw new Error(`the model does not reproduce the recorded vectors: ${report.message}`);
  } finally {
    await embedder.close();
  }
}
