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

/**
 * Characters that a terminal or a log viewer obeys instead of showing: C0 and C1 controls, line separators, and
 * marks that change the direction of the text after them (Unicode 16, 23.1 and UAX 9).
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that must not pass
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/**
 * Replaces control characters by their JSON escapes, such as `\u001b`.
 * @param kept control characters that stay. Default: none
 */
export function escapeControls(text: string, kept = ''): string {
  return text.replace(CONTROLS, (character) =>
    kept.includes(character) ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Maximum characters of a message that {@link boundMessage} returns. */
export const MAX_MESSAGE_CHARS = 500;

/** A message of any origin as it may be shown: of bounded length, without control characters but line feeds. */
export function boundMessage(message: string): string {
  const start = message.length > MAX_MESSAGE_CHARS ? `${message.slice(0, MAX_MESSAGE_CHARS - 1)}…` : message;
  return escapeControls(start, '\n');
}

/**
 * A value as it appears in a message: JSON without control characters, at most `maxChars` characters, so that
 * no megabyte row ends in a log.
 */
export function quote(value: unknown, maxChars = 60): string {
  const text = jsonOf(typeof value === 'string' ? value.slice(0, maxChars + 1) : value);
  // JSON.stringify has escaped the C0 controls already.
  return escapeControls(text.length > maxChars ? `${text.slice(0, maxChars - 1)}…` : text);
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
