/** Exit codes of the command, and the errors that cause them. */

import { ConfigError, EmbedmillError, type ErrorDetails } from '@embedmill/contract';

/** Exit codes. Public interface. */
export const EXIT = {
  /** Every row has a vector. */
  ok: 0,
  /** Any other error. */
  failure: 1,
  /** Invalid arguments, settings or input columns; no work was started. */
  usage: 2,
  /** The output is complete, but some rows have no vector: see the report. */
  rowsWithoutVector: 3,
  /** Stopped by a signal; the same command resumes. */
  interrupted: 130,
} as const;

/** One of the exit codes. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Invalid arguments or input; the message says what is expected. */
export class UsageError extends EmbedmillError {
  constructor(message: string, details: Pick<ErrorDetails, 'cause'> = {}) {
    super('usage', message, details);
  }
}

/** The command was stopped by a signal. */
export class Interrupted extends EmbedmillError {
  constructor() {
    super('interrupted', 'interrupted');
  }
}

/** Error codes of core for invalid input columns. */
const USAGE_CODES = new Set(['missing-column', 'invalid-header']);

/** The exit code for an error. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof Interrupted) return EXIT.interrupted;
  if (error instanceof UsageError || error instanceof ConfigError) return EXIT.usage;
  if (error instanceof EmbedmillError && USAGE_CODES.has(error.code)) return EXIT.usage;
  return EXIT.failure;
}
