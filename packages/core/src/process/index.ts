/** A process and its machine: configuration, lifecycle, CPU quota, disk, and a private Redis server. Loads no client of Redis. */

export * from './config/index.ts';
export * from './cpu/index.ts';
export { ageSortedId } from './disk/age-sorted-id.ts';
export { AppendedFile, type AppendedFileDeps } from './disk/appended-file.ts';
export { type ClaimOptions, FolderOwner } from './disk/folder-owner.ts';
export { syncFolder } from './disk/sync-folder.ts';
export { writeSynced } from './disk/write-synced.ts';
export {
  asUnavailable,
  CONNECTION_ERRORS,
  DISK_ERRORS,
  type Fault,
  type FaultSource,
  faultOf,
  isRedisFault,
  REDIS_REPLIES,
} from './faults.ts';
export { type Deferred, deferred, settledWithin, throttled } from './lifecycle/promises.ts';
export { Releasers } from './lifecycle/releasers.ts';
export { explainFault, runProcess } from './lifecycle/run-process.ts';
export { announce, runUntilStopped, type StopReason, whenStopped } from './lifecycle/signals.ts';
export * from './redis-server/index.ts';
export { steadyNow } from './steady-clock.ts';
