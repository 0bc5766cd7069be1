/** Flags of Node with which producers and workers are started. */

/**
 * V8 starts four helper threads, also on two cores. They collect garbage together and spin while they wait for each
 * other, which takes CPU time from inference. Decision: docs/decisions/0188-one-helper-thread-for-v8.md.
 */
export const SERVER_FLAGS: readonly string[] = ['--v8-pool-size=1'];
