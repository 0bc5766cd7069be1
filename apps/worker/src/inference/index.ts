/** The interface of the inference threads: texts in, vectors out, without computation on the main thread. */

export { PIECES_PER_LANE } from './dispatch.ts';
export type { Engine, EngineModule, TokenizeOptions } from './engine.ts';
export type { InferenceEvent, InferencePoolOptions } from './options.ts';
export { InferencePool } from './pool.ts';
export type {
  EmbedBatchOptions,
  EmbedTextsOptions,
  EmbedTextsResult,
  TokenizeTextsOptions,
} from './types.ts';
