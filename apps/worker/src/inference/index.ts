/** Inference threads: texts in, vectors out, without the main thread computing anything. */

export { PIECES_PER_LANE } from './dispatch.ts';
export type { Engine, EngineModule, TokenizeOptions } from './engine.ts';
export type { InferenceEvent, InferencePoolOptions } from './options.ts';
export { InferencePool } from './pool.ts';
export type {
  BatchRequest,
  EmbeddedTexts,
  EmbedTextsOptions,
  ThreadTreatment,
  TokenizeTextsOptions,
} from './types.ts';
