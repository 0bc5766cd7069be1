/** The engine of every real worker: `@embedmill/embed` behind the engine port; loaded inside inference threads by URL. */

import { Embedder, type PreparedModel } from '@embedmill/embed';
import type { Engine } from './engine.ts';

/**
 * Opens a prepared model.
 * @throws {EmbedError} when a file of the model is missing or cannot be run.
 */
export async function openEngine(model: unknown): Promise<Engine> {
  const embedder = await Embedder.open(model as PreparedModel);
  const { dim, fingerprint } = embedder.model;
  return {
    dim,
    fingerprint,
    get tokenizeMs() {
      return embedder.tokenizeMs;
    },
    embed: (text, target, offset, options) => embedder.embed(text, target, offset, options),
    tokenize: (text, options) => embedder.tokenize(text, options),
    close: () => embedder.close(),
  };
}
