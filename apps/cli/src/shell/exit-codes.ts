/** What the command's exit code says, and which error leads to which. */

import { ConfigError, EmbedmillError, type ErrorDetails } from '@embedmill/contract';

/** Exit codes; part of the interface. */
export const EXIT = {
  /** Every row has a vector. */
  ok: 0,
  /** Anything that is none of the others. */
  failure: 1,
  /** The command line, a setting or the input's columns are not what they must be; nothing was started. */
  usage: 2,
  /** The output is complete, and some rows have no vector: see the report. */
  rowsWithoutVector: 3,
  /** Stopped by a signal; the same command continues. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command asks for something that cannot be; the message says what to write instead. */
export class UsageError extends EmbedmillError {
  constructor(message: string, details: Pick<ErrorDetails, 'cause'> = {}) {
    super('usage', message, details);
  }
}

/** A signal asked the command to stop. */
export class Interrupted extends EmbedmillError {
  constructor() {
    super('interrupted', 'interrupted');
  }
}

/** Codes of core's errors that mean a wrong choice of input or column. */
const USAGE_CODES = new Set(['missing-column', 'invalid-header']);

/** The exit code for an error that ended a command. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof Interrupted) return EXIT.interrupted;
  if (error instanceof UsageError || error instanceof ConfigError) return EXIT.usage;
  if (error instanceof EmbedmillError && USAGE_CODES.has(error.code)) return EXIT.usage;
  return EXIT.failure;
}
