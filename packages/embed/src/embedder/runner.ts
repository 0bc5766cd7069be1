/** The port of the embedder to an engine, and the implementations that compute with a model. */

import { ExactModel, PACK_TOKENS, type Pack } from '@embedmill/engine';
import { EmbedError } from '../errors.ts';
import type { PreparedModel } from '../types.ts';
import { poolInto } from './pooling.ts';
import type { ModelSession } from './session.ts';
import { StaticRunner } from './static-runner.ts';

/** A model in memory that turns token ids into vectors. */
export interface Runner {
  /** Maximum tokens of several texts in one run; 0 if each text runs alone. */
  readonly packTokens: number;
  /**
   * Writes one vector of length 1 per text to `target`, from `offset` on. The bytes of a vector do not depend
   * on the other texts.
   * @param texts token ids of each text, special tokens included
   * @throws if the model fails, or returns no finite vector
   */
  run(texts: readonly (readonly number[])[], target: Float32Array, offset: number): void | Promise<void>;
  /** Frees the memory. */
  close(): void | Promise<void>;
}

/** When other threads help with a run of the exact engine; only its time changes. */
export interface CoreOptions {
  /** Maximum threads of the process that compute at the same time. Default 1. */
  maxBusyThreads?: number | undefined;
  /** Called before each run: whether threads that no other run needs may help. Default: they may. */
  hasIdleCores?: (() => boolean) | undefined;
}

/**
 * Opens a prepared model with its engine.
 * @throws {EmbedError} if a file of the model is missing or cannot be run
 */
export async function openRunner(model: PreparedModel, cores: CoreOptions = {}): Promise<Runner> {
  if (model.engine === 'exact') return openExact(model, cores);
  if (model.engine === 'static') return await StaticRunner.open(model);
  // Loaded on use: ONNX Runtime takes 0.1 s and 25 MB that the exact engine does not need.
  const { ModelSession } = await import('./session.ts');
  return new OnnxRunner(await ModelSession.open(model.modelPath, model), model);
}

/** Returns the ids of texts one after the other. */
export function packOf(texts: readonly (readonly number[])[]): Pack {
  const lengths = Int32Array.from(texts, ({ length }) => length);
  const ids = new Int32Array(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const text of texts) {
    ids.set(text, at);
    at += text.length;
  }
  return { ids, lengths };
}

/** The exact engine: several texts in one run, because short ones alone do not fill its registers. */
class ExactRunner implements Runner {
  readonly packTokens = PACK_TOKENS;
  readonly #model: ExactModel;
  readonly #hasIdleCores: () => boolean;

  constructor(model: ExactModel, hasIdleCores: () => boolean) {
    this.#model = model;
    this.#hasIdleCores = hasIdleCores;
  }

  run(texts: readonly (readonly number[])[], target: Float32Array, offset: number): void {
    this.#model.embedInto(packOf(texts), target, offset, { useIdleCores: this.#hasIdleCores() });
  }

  close(): void {
    this.#model.close();
  }
}

/** ONNX Runtime: one text per run, because padding or packing would change the bytes of its vectors. */
class OnnxRunner implements Runner {
  readonly packTokens = 0;
  readonly #session: ModelSession;
  readonly #model: Pick<PreparedModel, 'dim' | 'pooling'>;

  constructor(session: ModelSession, model: Pick<PreparedModel, 'dim' | 'pooling'>) {
    this.#session = session;
    this.#model = model;
  }

  async run(texts: readonly (readonly number[])[], target: Float32Array, offset: number): Promise<void> {
    const { dim, pooling } = this.#model;
    for (const [row, ids] of texts.entries()) {
      const { values } = await this.#session.run(ids);
      if (!poolInto(target, offset + row * dim, dim, values, pooling)) {
        throw new Error('it returned no finite vector');
      }
    }
  }

  async close(): Promise<void> {
    await this.#session.close();
  }
}

function openExact(
  { modelPath, kernel }: PreparedModel,
  { maxBusyThreads, hasIdleCores = () => true }: CoreOptions,
): Runner {
  try {
    return new ExactRunner(ExactModel.open(modelPath, { kernel, threads: maxBusyThreads }), hasIdleCores);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new EmbedError('MODEL_INVALID', `the exact engine cannot open "${modelPath}": ${message}`, {
      cause,
    });
  }
}
