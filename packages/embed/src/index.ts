/**
 * The public interface of the engine: prepare a model once, open it in every inference thread, embed one text
 * at a time.
 */

export { type Distilled, type DistillOptions, distill } from './distill/distill.ts';
export { writeStaticFolder } from './distill/folder.ts';
export { Embedder } from './embedder/embedder.ts';
export { EmbedError, type EmbedErrorCode } from './errors.ts';
export { checkGolden, type GoldenReport } from './golden/check-golden.ts';
export { availableKernels } from './prepare/choose-engine.ts';
export { type AnnouncedModel, describeModel, readModelScripts } from './prepare/describe-model.ts';
export {
  type PreparedPrecisions,
  prepareEach,
  tryEach,
  type UnavailablePrecision,
} from './prepare/prepare-each.ts';
export { prepareModel } from './prepare/prepare-model.ts';
export { shareTokenizer } from './prepare/share-tokenizer.ts';
export {
  isRelated,
  type LanguageMeasure,
  type ModelMeasure,
  measureFacts,
  measureModel,
} from './quality/measure.ts';
export { Glossary, type GlossaryEntry, type ReplacedText } from './text/glossary/glossary.ts';
export type { TextChunk } from './text/long/chunks.ts';
export type { SharedTokenizer } from './text/shared-tokenizer.ts';
export { CLEANERS } from './text/treatment/clean-steps.ts';
export type {
  EmbedTextOptions,
  GoldenSet,
  ModelSources,
  Pooling,
  PreparedModel,
  PrepareOptions,
} from './types.ts';
