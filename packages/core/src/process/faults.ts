/**
 * The one place that says what a fault is: whose it is, whether it passes, and whom it stops. Whatever catches an error of Redis, the
 * disk or the network asks `faultOf`; docs/reliability.md has the same table, and a test compares the two.
 */

import { CorruptError, EmbedmillError, UnavailableError } from '@embedmill/contract';

/** Whose fault it is. */
export type FaultSource =
  /** Redis or the connection to it. */
  | 'redis'
  /** The disk of the data folder or the process's limit of open files. */
  | 'disk'
  /** The client of a request. */
  | 'client'
  /** The files of one run are not what was written. */
  | 'data'
  /** An error of Embedmill itself. */
  | 'internal';

/** What is known of an error. */
export interface Fault {
  source: FaultSource;
  /**
   * `passing`: the same call may succeed later without a change by anybody (Redis restarts, a full disk is cleared).
   * `lasting`: it fails until somebody changes something (a password, a permission, the files).
   */
  duration: 'passing' | 'lasting';
  /** `run`: only the run at hand is concerned and others go on. `all`: everything that uses the same resource is. */
  scope: 'run' | 'all';
  /** Row of the table that matched: an error code, the first word of a Redis reply, or a name. */
  kind: string;
  /** One sentence for people, without paths and addresses. */
  sentence: string;
}

type Row = readonly [kind: string, duration: Fault['duration'], scope: Fault['scope'], sentence: string];

/** Replies of Redis by their first word (https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors). */
export const REDIS_REPLIES: readonly Row[] = [
  ['OOM', 'passing', 'all', 'Redis is out of memory'],
  ['MISCONF', 'passing', 'all', 'Redis cannot save to its disk and refuses writes'],
  ['READONLY', 'passing', 'all', 'Redis is a read-only replica'],
  ['LOADING', 'passing', 'all', 'Redis is loading its data'],
  ['BUSY', 'passing', 'all', 'Redis is busy with a script'],
  ['MASTERDOWN', 'passing', 'all', 'Redis is a replica without a connection to its primary'],
  ['CLUSTERDOWN', 'passing', 'all', 'the Redis cluster is down'],
  ['TRYAGAIN', 'passing', 'all', 'the Redis cluster is moving a slot'],
  ['NOREPLICAS', 'passing', 'all', 'Redis has too few replicas for writes'],
  ['UNBLOCKED', 'passing', 'all', 'Redis ended a blocking read'],
  ['NOSCRIPT', 'passing', 'all', 'Redis lost its cached scripts'],
  ['NOAUTH', 'lasting', 'all', 'Redis requires a password'],
  ['WRONGPASS', 'lasting', 'all', 'Redis refuses the password'],
  ['NOPERM', 'lasting', 'all', 'the Redis user lacks a permission'],
  ['NOPRIMARY', 'lasting', 'all', 'the Redis Sentinels know no primary of this name'],
  ['ASK', 'passing', 'all', 'the Redis cluster is moving a slot'],
  ['MOVED', 'passing', 'all', 'Redis is a cluster, which needs a cluster connection'],
  ['CROSSSLOT', 'lasting', 'all', 'Redis is a cluster and the keys are in several slots'],
];

/** Any other reply of Redis: never the fault of a batch, whatever its wording. */
const OTHER_REPLY: Row = ['ReplyError', 'passing', 'all', 'Redis answered with an error'];

/** Errors of ioredis and of its socket, by a part of their message. */
export const CONNECTION_ERRORS: readonly (readonly [pattern: RegExp, kind: string])[] = [
  [/Connection is closed/, 'Connection is closed'],
  [/Stream isn't writeable/, "Stream isn't writeable"],
  [/Command timed out/, 'Command timed out'],
  [/max retries per request/, 'max retries per request'],
  [/Socket closed|Socket timeout/, 'Socket closed'],
  [/\bECONNREFUSED\b/, 'ECONNREFUSED'],
  [/\bECONNRESET\b/, 'ECONNRESET'],
  [/\bETIMEDOUT\b/, 'ETIMEDOUT'],
  [/\bEPIPE\b/, 'EPIPE'],
  [/\bEHOSTUNREACH\b|\bENETUNREACH\b/, 'EHOSTUNREACH'],
  [/\bENOTFOUND\b|\bEAI_AGAIN\b/, 'ENOTFOUND'],
];

/** Error codes of file systems and of the limit of open files (errno(3)). */
export const DISK_ERRORS: readonly Row[] = [
  ['ENOSPC', 'passing', 'all', 'the disk of the data folder is full'],
  ['EDQUOT', 'passing', 'all', 'the disk quota of the data folder is used up'],
  ['EROFS', 'passing', 'all', 'the data folder is read-only'],
  ['EIO', 'passing', 'all', 'the disk of the data folder reports an input/output error'],
  ['ESTALE', 'passing', 'all', 'the network mount of the data folder is stale'],
  ['EMFILE', 'passing', 'all', 'the process has too many open files'],
  ['ENFILE', 'passing', 'all', 'the machine has too many open files'],
  ['EACCES', 'passing', 'all', 'the data folder does not permit the access'],
  ['EPERM', 'passing', 'all', 'the data folder does not permit the operation'],
  ['EBUSY', 'passing', 'all', 'a file of the data folder is busy'],
  ['EAGAIN', 'passing', 'all', 'the disk of the data folder is temporarily unavailable'],
  ['ENOENT', 'lasting', 'run', 'a file of the run is missing'],
  ['ENOTDIR', 'lasting', 'run', 'a folder of the run is missing'],
  ['EISDIR', 'lasting', 'run', 'a file of the run is a folder'],
];

/**
 * Classifies an error.
 * @param error anything thrown
 * @returns its fault; `internal`, `lasting` and `run` for what is in no table, so that one unexpected error stops one run
 */
export function faultOf(error: unknown): Fault {
  if (error instanceof CorruptError) {
    return {
      source: 'data',
      duration: 'lasting',
      scope: 'run',
      kind: error.code,
      sentence: 'the files of the run are damaged',
    };
  }
  const redis = redisFaultOf(error);
  if (redis !== undefined) return redis;
  const code = codeOf(error);
  const disk = DISK_ERRORS.find(([kind]) => kind === code);
  if (disk !== undefined) return faultFrom('disk', disk);
  if (error instanceof EmbedmillError) {
    const duration = error.retryable ? 'passing' : 'lasting';
    if (error.cause !== undefined) {
      const cause = faultOf(error.cause);
      if (cause.source !== 'internal') return { ...cause, duration };
    }
    const source = error.code.startsWith('client-') ? 'client' : 'internal';
    return {
      source,
      duration,
      scope: error.retryable ? 'all' : 'run',
      kind: error.code,
      sentence: error.message,
    };
  }
  return {
    source: 'internal',
    duration: 'lasting',
    scope: 'run',
    kind: code || nameOf(error),
    sentence: 'internal error',
  };
}

/** True if Redis or the connection to it is at fault, so that work must be kept and repeated, and costs no attempt. */
export function isRedisFault(error: unknown): boolean {
  return redisFaultOf(error) !== undefined;
}

/** Turns a Redis fault into an `UnavailableError` with code `redis-unavailable`; returns other errors as they are. */
export function asUnavailable(error: unknown): unknown {
  const fault = redisFaultOf(error);
  return fault === undefined
    ? error
    : new UnavailableError('redis-unavailable', fault.sentence, { cause: error });
}

function redisFaultOf(error: unknown): Fault | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.name === 'ReplyError' || isScriptReply(error.message) || replyRow(error.message) !== undefined) {
    return faultFrom('redis', replyRow(error.message) ?? OTHER_REPLY);
  }
  const text = `${codeOf(error)} ${error.message}`;
  const connection = CONNECTION_ERRORS.find(([pattern]) => pattern.test(text));
  if (connection !== undefined)
    return faultFrom('redis', [connection[1], 'passing', 'all', 'Redis is unreachable']);
  // ioredis reports several failed addresses as one AggregateError, and others wrap its errors.
  const inner = error instanceof AggregateError ? [...error.errors, error.cause] : [error.cause];
  return inner.map(redisFaultOf).find((fault) => fault !== undefined);
}

/**
 * The row of a reply. Redis 7 starts the reply of a failed script with the error's own word; Redis 6.2 wraps it: `ERR Error running
 * script (call to f_…): @user_script:9: -OOM command not allowed …` (also `@user_script: 9:`, and without the minus sign).
 */
function replyRow(message: string): Row | undefined {
  const wrapped = /^ERR Error (?:running|compiling) script .*?@user_script: ?\d+: -?([A-Z]+)\b/.exec(message);
  const word = wrapped?.[1] ?? /^-?([A-Z]+)\b/.exec(message)?.[1];
  return REDIS_REPLIES.find(([kind]) => kind === word);
}

function isScriptReply(message: string): boolean {
  return /^ERR Error (running|compiling) script/.test(message);
}

function faultFrom(source: FaultSource, [kind, duration, scope, sentence]: Row): Fault {
  return { source, duration, scope, kind, sentence };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
