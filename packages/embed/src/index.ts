/** The engine's interface: prepare a model once, open it in every inference thread, embed one text at a time. */
export { Embedder } from './embedder/embedder.ts';
export { EmbedError, type EmbedErrorCode } from './errors.ts';
export { checkGolden, type GoldenReport } from './golden/check-golden.ts';
export { prepareModel } from './prepare/prepare-model.ts';
export { Glossary, type GlossaryEntry, type ReplacedText } from './text/glossary/glossary.ts';
export type { TextChunk } from './text/long/chunks.ts';
export { CLEAN_STEPS, type CleanStep } from './text/treatment/clean-steps.ts';
export {
  type GlossarySource,
  type LongTexts,
  type Treatment,
  UNTREATED,
} from './text/treatment/treatment.ts';
export type {
  ChunkSpan,
  EmbedOptions,
  GoldenSet,
  ModelSources,
  Pooling,
  Precision,
  PreparedModel,
  PrepareOptions,
  RowOutcome,
  TextToken,
  Truncate,
} from './types.ts';
