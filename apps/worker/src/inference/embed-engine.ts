/** The default engine: `@embedmill/embed` behind the engine port; inference threads load it by URL. */

import type { PreparedModel, SharedTokenizer } from '@embedmill/embed';
// Not the whole package: a thread needs neither compilers nor downloads, which take 5 MB of its heap.
import { Embedder } from '@embedmill/embed/embedder';
import type { Engine, EngineSurroundings } from './engine.ts';

/** What the pool's `prepare` returns for this engine: the model, and what each thread may use. */
export interface EmbedEngineModel extends PreparedModel {
  /** Maximum bytes of vectors that a thread keeps for repeated texts. Default 0: none. */
  memoryBytes?: number;
  /** The tokenizer, if the threads share it. */
  tokenizer?: SharedTokenizer | undefined;
  /** Maximum threads of the process that compute at the same time, inference threads included. Default 1. */
  maxBusyThreads?: number;
}

/**
 * Opens a prepared model.
 * @throws {EmbedError} if a model file is missing or cannot be run
 */
export async function openEngine(model: unknown, { hasIdleCores }: EngineSurroundings): Promise<Engine> {
  const { memoryBytes, tokenizer, maxBusyThreads, ...prepared } = model as EmbedEngineModel;
  const embedder = await Embedder.open(prepared, { memoryBytes, tokenizer, maxBusyThreads, hasIdleCores });
  const { dim, fingerprint } = embedder.model;
  return {
    dim,
    fingerprint,
    specialTokens: embedder.specialTokens,
    get tokenizeMs() {
      return embedder.tokenizeMs;
    },
    get repeats() {
      return embedder.repeats;
    },
    embedPack: (texts, target, offset, options) => embedder.embedPack(texts, target, offset, options),
    embed: (text, target, offset, options) => embedder.embed(text, target, offset, options),
    tokenize: (text, options) => embedder.tokenize(text, options),
    close: () => embedder.close(),
  };
}
