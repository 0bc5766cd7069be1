/**
 * What a program needs on its own machine: rows, formats, settings, exact search. Nothing here loads a client of Redis, the queue or
 * metrics, which take most of a second; `@embedmill/core` has all of it too.
 */

export * from './batch/index.ts';
export * from './config/index.ts';
export * from './cpu/index.ts';
export { ageSortedId } from './disk/age-sorted-id.ts';
export { syncFolder } from './disk/sync-folder.ts';
export * from './errors.ts';
export { Releasers } from './lifecycle/releasers.ts';
export { announce, type StopReason, whenStopped } from './lifecycle/signals.ts';
export * from './rows/index.ts';
export * from './search/index.ts';
export * from './sinks/index.ts';
