/** The health of a producer: what is wrong now and what ends it, computed in one place and shown everywhere. */

/** Kinds of problems, in the order of their weight: what stands first explains what follows. */
export const PROBLEM_CODES = [
  /** The producer does not answer; only its clients say so. */
  'producer',
  /** Redis is unreachable or refuses commands. */
  'redis',
  /** The disk of the data folder takes no bytes. */
  'disk',
  /** The data folder is not open yet. */
  'starting',
  /** Redis is nearly full, so that rows are not accepted. */
  'redis-full',
  /** Redis may delete keys of runs. */
  'redis-policy',
  /** Results stay in Redis because they cannot be stored. */
  'collecting',
  /** No worker is connected. */
  'no-worker',
  /** A run waits for a worker with its model. */
  'no-model',
  /** Workers are connected, rows wait, and none is finished. */
  'stalled',
  /** CPU quotas stop the threads of workers. */
  'throttled',
  /** The disk has less space than the active runs need. */
  'disk-space',
  /** The backlog needs more workers to be done within the drain target. */
  'few-workers',
] as const;

/** Kind of a problem. */
export type ProblemCode = (typeof PROBLEM_CODES)[number];

/**
 * - `critical`: new rows are refused, or nothing is embedded although rows wait.
 * - `warning`: some work stands still, or soon will.
 * - `advice`: everything works, and something would make it faster.
 */
export type Severity = 'critical' | 'warning' | 'advice';

/** One thing that is wrong. */
export interface HealthProblem {
  code: ProblemCode;
  severity: Severity;
  /** What is wrong, as a sentence. */
  sentence: string;
  /** What ends it, as a sentence. */
  remedy: string;
  /** False if it lasts until somebody changes something, such as a password. */
  mayPass: boolean;
  /** Whether new rows are refused while it lasts. */
  refusesRows: boolean;
  /** Id of the only run that it concerns; `null` if it concerns all of them. */
  run: string | null;
}

/** What `GET /v1/health` answers. */
export interface Health {
  /** By the heaviest problem: `unavailable` if new rows are refused, `degraded` for others, `ok` without any but advice. */
  state: 'ok' | 'degraded' | 'unavailable';
  /** The first problem, or what the producer is doing. */
  sentence: string;
  /** The heaviest first. */
  problems: HealthProblem[];
}
