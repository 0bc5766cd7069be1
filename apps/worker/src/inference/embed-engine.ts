/** The engine of every real worker: `@embedmill/embed` behind the engine port; loaded inside inference threads by URL. */

import { Embedder, type PreparedModel } from '@embedmill/embed';
import type { Engine } from './engine.ts';

/** What a pool's `prepare` returns for this engine: the model, and how much each thread remembers. */
export interface EmbedEngineModel extends PreparedModel {
  /** Bytes of vectors that a thread keeps for texts that come again. Default 0: none. */
  memoryBytes?: number;
}

/**
 * Opens a prepared model.
 * @throws {EmbedError} when a file of the model is missing or cannot be run.
 */
export async function openEngine(model: unknown): Promise<Engine> {
  const { memoryBytes, ...prepared } = model as EmbedEngineModel;
  const embedder = await Embedder.open(prepared, { memoryBytes });
  const { dim, fingerprint } = embedder.model;
  return {
    dim,
    fingerprint,
    get tokenizeMs() {
      return embedder.tokenizeMs;
    },
    get repeats() {
      return embedder.repeats;
    },
    embed: (text, target, offset, options) => embedder.embed(text, target, offset, options),
    tokenize: (text, options) => embedder.tokenize(text, options),
    close: () => embedder.close(),
  };
}
