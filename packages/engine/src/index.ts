/** The exact engine: the int8 forward pass of a BERT encoder with the same bytes on every CPU. */
export { EngineError, type EngineErrorCode } from './errors.ts';
export { chooseKernel, KERNEL_VARIABLE, kernels } from './kernels.ts';
export { ARITHMETIC_REVISION, ExactModel, type OpenOptions, type Pack } from './model.ts';
export { type Kernel, loadEngine, prebuiltPackage } from './native.ts';
export { PACK_TOKENS, planPacks } from './packs.ts';
export { packWeights } from './weights/pack.ts';
export type { Dense, Encoder, EncoderLayer, Norm, Pooling } from './weights/tensors.ts';
