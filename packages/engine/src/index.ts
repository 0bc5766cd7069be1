/** The exact engine: the int8 forward pass of a BERT encoder with the same bytes on every CPU. */
export { EngineError, type EngineErrorCode } from './errors.ts';
export { chooseKernel, kernels } from './kernels.ts';
export { ARITHMETIC_REVISION, ExactModel, type OpenOptions, type Pack } from './model.ts';
export { type Kernel, loadEngine, prebuiltPackage } from './native.ts';
export { PACK_TOKENS, planPacks } from './packs.ts';
export { embedStatic, hasEngine } from './static.ts';
export { MAX_POSITIONS, packWeights, WEIGHTS_REVISION } from './weights/pack.ts';
export { quantizeColumns, quantizeRows } from './weights/quantize.ts';
export type { Dense, Encoder, EncoderLayer, Norm, Pooling } from './weights/tensors.ts';
export {
  TOKENIZER_UNICODE,
  type WordPieceOptions,
  type WordPieceTables,
  WordPieceTokenizer,
  wordPieceTables,
} from './wordpiece.ts';
