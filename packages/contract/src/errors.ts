/** The error classes of Embedmill, thrown by all packages except `embed`, and two helpers for messages. */

/** The properties of an error besides code and message. */
export interface ErrorDetails {
  /** True if the same call may succeed later unchanged (Redis unreachable, disk full). Default false. */
  retryable?: boolean;
  /** The error that led to this one. */
  cause?: unknown;
  /** Details for programs: plain JSON values, never row texts, never secrets. */
  facts?: Readonly<Record<string, unknown>>;
}

/** An error as plain data, as sent over Redis, between threads and over HTTP. */
export interface SerializedError {
  name: string;
  code: string;
  message: string;
  retryable: boolean;
  facts?: Readonly<Record<string, unknown>>;
}

/**
 * An error with a stable `code` (kebab-case, part of the API) and a message that quotes what was given and
 * says what was expected.
 */
export class EmbedmillError extends Error {
  readonly code: string;
  readonly retryable: boolean;
  readonly facts: Readonly<Record<string, unknown>> | undefined;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = details.retryable ?? false;
    this.facts = details.facts;
  }

  /** The error as plain data, without stack and cause. */
  toJSON(): SerializedError {
    return {
      name: this.name,
      code: this.code,
      message: this.message,
      retryable: this.retryable,
      ...(this.facts === undefined ? {} : { facts: this.facts }),
    };
  }
}

/** The configuration is invalid; the message lists all invalid variables. */
export class ConfigError extends EmbedmillError {
  constructor(problems: readonly string[]) {
    super(
      'bad-configuration',
      `The configuration is invalid:\n${problems.map((p) => `  - ${p}`).join('\n')}`,
      {
        facts: { problems },
      },
    );
  }
}

/** A request or command is invalid: wrong value, wrong state, unknown run. */
export class RequestError extends EmbedmillError {}

/** Redis, the disk or another dependency is unavailable; the same call may succeed later. */
export class UnavailableError extends EmbedmillError {
  constructor(code: string, message: string, details: Omit<ErrorDetails, 'retryable'> = {}) {
    super(code, message, { ...details, retryable: true });
  }
}

/** Stored data is damaged: wrong magic number, wrong checksum, truncated. */
export class CorruptError extends EmbedmillError {}

/** Converts a thrown value to an `Error`; a value that is not an error is quoted in the message. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error
    ? thrown
    : new Error(`thrown value is not an error: ${String(thrown)}`, { cause: thrown });
}

/** Quotes a value for a message: JSON of at most `maxChars` characters, so that logs stay small. */
export function quote(value: unknown, maxChars = 60): string {
  const text = jsonOf(typeof value === 'string' ? value.slice(0, maxChars + 1) : value);
  return text.length > maxChars ? `${text.slice(0, maxChars - 1)}…` : text;
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // JSON.stringify fails on values nested thousands deep (JSON.parse does not), on BigInt and on cycles.
    return typeof value === 'object'
      ? `a deeply nested ${Array.isArray(value) ? 'list' : 'object'}`
      : String(value);
  }
}
