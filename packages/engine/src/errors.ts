/** The one error class of this package. */

/**
 * What went wrong, stable across versions:
 * - `engine-unavailable`: no addon was built for this machine, or it cannot be loaded.
 * - `kernel-unavailable`: the requested kernel is unknown, or this CPU cannot run it.
 * - `weights-invalid`: a weight file is missing, damaged, or of another format.
 * - `weights-unsupported`: tensors have a shape or a value that the engine does not take.
 * - `input-invalid`: token ids, lengths or the target of a pack are out of bounds.
 */
export type EngineErrorCode =
  | 'engine-unavailable'
  | 'kernel-unavailable'
  | 'weights-invalid'
  | 'weights-unsupported'
  | 'input-invalid';

/** An error of the engine; none of them is cured by calling again. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: EngineErrorCode;

  constructor(code: EngineErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
