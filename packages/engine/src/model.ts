/** A model of the exact engine, opened in one thread. */
import { chooseKernel } from './kernels.ts';
import { callNative, loadEngine, type NativeModel } from './native.ts';

export interface OpenOptions {
  /** A name from `kernels()`, or `auto` for the fastest. Default `auto`. */
  kernel?: string | undefined;
  /**
   * Maximum threads that the process may keep busy with runs, callers included: with more than one, other threads can help
   * with a run. Equal for all models of a process. Default 1.
   */
  threads?: number | undefined;
}

/** Options of one run. */
export interface RunOptions {
  /**
   * Whether threads that no other run needs help with this one, up to four in all. Only the time changes, never the
   * bytes. Default false.
   */
  useIdleCores?: boolean | undefined;
}

/** Texts that go through the model in one run. */
export interface Pack {
  /** The ids of all texts, one text after the other, special tokens included. */
  ids: Int32Array;
  /** Ids of each text. */
  lengths: Int32Array;
}

/**
 * Revision of the arithmetic (native/arithmetic.h): vectors of the same weights and revision are equal byte for byte, on
 * every CPU. To be raised whenever a step changes.
 */
export const ARITHMETIC_REVISION = 1;

/**
 * Computes on the calling thread. Any number of threads may open the same file: the process holds its weights once, and
 * drops them after the last `close`.
 */
export class ExactModel {
  /** The kernel that computes. */
  readonly kernel: string;
  readonly #native: NativeModel;
  #isClosed = false;

  private constructor(native: NativeModel, kernel: string) {
    this.#native = native;
    this.kernel = kernel;
  }

  /**
   * @param path a file that `packWeights` made
   * @throws EngineError `engine-unavailable`, `kernel-unavailable` or `weights-invalid`
   */
  static open(path: string, options: OpenOptions = {}): ExactModel {
    const kernel = chooseKernel(options.kernel);
    return new ExactModel(
      callNative(() => loadEngine().open(path, kernel, options.threads ?? 1)),
      kernel,
    );
  }

  /** Floats per vector. */
  get dim(): number {
    return this.#native.dim;
  }

  /** Maximum tokens of one text. */
  get maxTokens(): number {
    return this.#native.maxTokens;
  }

  /** Ids are 0 to this, exclusively. */
  get vocabulary(): number {
    return this.#native.vocabulary;
  }

  /** CRC-32 of the weight file. */
  get checksum(): number {
    return this.#native.checksum;
  }

  /**
   * Writes one vector of length 1 per text to `target`, from `offset` on. A text's bytes do not depend on its pack. An
   * error leaves the target as it was.
   *
   * @throws EngineError `input-invalid` for a text without tokens or beyond `maxTokens`, an id beyond the vocabulary,
   * a pack beyond 4,096 tokens, a target without room, or a closed model
   */
  embedInto(pack: Pack, target: Float32Array, offset = 0, { useIdleCores = false }: RunOptions = {}): void {
    const { ids, lengths } = pack;
    callNative(() => loadEngine().embed(this.#native, ids, lengths, target, offset, useIdleCores));
  }

  /** `embedInto` with a target of its own: texts × dim. */
  embed(pack: Pack, options: RunOptions = {}): Float32Array {
    const target = new Float32Array(pack.lengths.length * this.dim);
    this.embedInto(pack, target, 0, options);
    return target;
  }

  /** Frees the memory of this handle now instead of at the next garbage collection. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    callNative(() => loadEngine().close(this.#native));
  }
}
