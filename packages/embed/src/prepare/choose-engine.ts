/** Chooses the engine of a model: the exact engine where it is at least as fast as ONNX Runtime. */

import type { EngineChoice, Precision } from '@embedmill/contract';
import { chooseKernel, EngineError, kernels } from '@embedmill/engine';
import { EmbedError } from '../errors.ts';

/** Options of `chooseEngine`. */
export interface EngineOptions {
  engine: EngineChoice;
  /** Kernel of the exact engine, or `auto` for the fastest. */
  kernel: string;
  precision: Precision;
}

/** An engine, or why it is not the exact one. */
export type ChosenEngine =
  | { engine: 'exact'; kernel: string; isRequired: boolean }
  | { engine: 'onnx'; reason: string };

/**
 * Kernels that were measured to be at least as fast as ONNX Runtime on the same CPU (docs/performance.md).
 * AVX2 alone reaches 0.6 to 0.8 of it; NEON was not measured on a real CPU.
 */
const FAST_KERNELS: ReadonlySet<string> = new Set(['amx', 'avx512vnni', 'avxvnni']);

/**
 * Chooses the engine for a precision. `auto` with a named kernel takes the exact engine with that kernel.
 * @throws {EmbedError} `ENGINE_UNAVAILABLE` if the exact engine or the named kernel is requested and does not
 * run here
 */
export function chooseEngine({ engine, kernel, precision }: EngineOptions): ChosenEngine {
  if (engine === 'onnx') return { engine, reason: 'as requested' };
  if (precision !== 'int8')
    return { engine: 'onnx', reason: `the exact engine does not compute ${precision}` };
  let chosen: string;
  try {
    chosen = chooseKernel(kernel);
  } catch (cause) {
    if (!(cause instanceof EngineError)) throw cause;
    if (engine === 'auto' && cause.code === 'engine-unavailable') {
      return { engine: 'onnx', reason: cause.message };
    }
    throw new EmbedError('ENGINE_UNAVAILABLE', cause.message, { cause });
  }
  if (engine === 'auto' && kernel === 'auto' && !FAST_KERNELS.has(chosen)) {
    return { engine: 'onnx', reason: `it is faster than the exact engine on this CPU (kernel ${chosen})` };
  }
  return { engine: 'exact', kernel: chosen, isRequired: engine === 'exact' };
}

/** Names of the kernels that this CPU can run, fastest first; none if the exact engine is not built. */
export function availableKernels(): string[] {
  try {
    return kernels()
      .filter(({ available }) => available)
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

/** The engine for people, with the reason if it is not the exact one. */
export function describeEngine(chosen: ChosenEngine): string {
  return chosen.engine === 'exact' ? `exact, kernel ${chosen.kernel}` : `ONNX Runtime: ${chosen.reason}`;
}
