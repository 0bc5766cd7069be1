/** The error class of this package; preparing and opening a model throws it. */

/**
 * Stable error codes:
 * - `MODEL_NOT_FOUND`: a folder or file of the model is missing.
 * - `MODEL_INVALID`: a file of the model cannot be parsed or is inconsistent.
 * - `MODEL_UNSUPPORTED`: the model is valid but has an unsupported input, operator or pooling.
 * - `ENGINE_UNAVAILABLE`: the requested engine or kernel does not run on this machine.
 * - `CACHE_UNWRITABLE`: the compiled model could not be stored.
 * - `EMBEDDER_CLOSED`: `embed` was called after `close`.
 */
export type EmbedErrorCode =
  | 'MODEL_NOT_FOUND'
  | 'MODEL_INVALID'
  | 'MODEL_UNSUPPORTED'
  | 'ENGINE_UNAVAILABLE'
  | 'CACHE_UNWRITABLE'
  | 'EMBEDDER_CLOSED';

/**
 * An error of a model or an embedder, with the same fields as `EmbedmillError` of the contract and upper-case
 * codes.
 */
export class EmbedError extends Error {
  override readonly name = 'EmbedError';
  readonly code: EmbedErrorCode;
  /** True if the same call may succeed later without a change of any file. */
  readonly retryable: boolean;

  constructor(code: EmbedErrorCode, message: string, options: { cause?: unknown; retryable?: boolean } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
  }

  /** Returns the error as plain data, for logs and for messages between threads. */
  toJSON(): { name: string; code: EmbedErrorCode; message: string; retryable: boolean } {
    return { name: this.name, code: this.code, message: this.message, retryable: this.retryable };
  }
}
