/** The one error class of this package, thrown to whoever prepares or opens a model. */

/**
 * What went wrong, stable across versions:
 * - `MODEL_NOT_FOUND`: a folder or a file of the model is missing.
 * - `MODEL_INVALID`: a file of the model cannot be read as what it should be.
 * - `MODEL_UNSUPPORTED`: the model is valid, but has an input, an operator or a pooling that we do not run.
 * - `CACHE_UNWRITABLE`: the compiled model could not be stored.
 * - `EMBEDDER_CLOSED`: a text was given to an embedder after `close`.
 */
export type EmbedErrorCode =
  | 'MODEL_NOT_FOUND'
  | 'MODEL_INVALID'
  | 'MODEL_UNSUPPORTED'
  | 'CACHE_UNWRITABLE'
  | 'EMBEDDER_CLOSED';

/** An error of the engine: same shape as the errors of `@embedmill/core`, which this package must not import. */
export class EmbedError extends Error {
  override readonly name = 'EmbedError';
  readonly code: EmbedErrorCode;
  /** true when the same call may succeed later without anybody changing a file. */
  readonly retryable: boolean;

  constructor(code: EmbedErrorCode, message: string, options: { cause?: unknown; retryable?: boolean } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
  }

  /** The fields that may travel: to a log, or from an inference thread to its parent. */
  toJSON(): { name: string; code: EmbedErrorCode; message: string; retryable: boolean } {
    return { name: this.name, code: this.code, message: this.message, retryable: this.retryable };
  }
}
