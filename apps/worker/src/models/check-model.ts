/** Checks that this machine computes the recorded vectors of a model. */

import { checkGolden, Embedder, type PreparedModel, type SharedTokenizer } from '@embedmill/embed';

/** Options of {@link checkModel}. */
export interface CheckOptions {
  tokenizer: SharedTokenizer | undefined;
  /** A promise until whose end the model stays in memory, so that threads which open it share the weights. */
  until?: Promise<unknown> | undefined;
}

/**
 * Throws if this CPU and model file do not reproduce the recorded vectors: such a worker must not join the
 * queue. Passes for models without recorded vectors.
 */
export async function checkModel(model: PreparedModel, { tokenizer, until }: CheckOptions): Promise<void> {
  const embedder = await Embedder.open(model, { tokenizer });
  try {
    const report = await checkGolden(embedder);
    if (!report.ok) throw new Error(`the model does not reproduce the recorded vectors: ${report.message}`);
    await until?.catch(() => {});
  } finally {
    await embedder.close();
  }
}
