/** The histogram buckets shared by producer and worker, so that their stages fit on one axis. */

/** Seconds from 1 ms (a commit on an idle Redis) to 10 minutes (a batch that waits behind a large run). */
export const STAGE_BUCKETS_SECONDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600,
];

/**
 * Seconds from 1 ms to the default deadline of an interactive call; finer around the latency targets (25 and
 * 80 ms).
 */
export const LATENCY_BUCKETS_SECONDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.025, 0.04, 0.06, 0.08, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];
