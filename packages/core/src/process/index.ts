/**
 * Process: configuration, lifecycle, CPU quota, disk, and a private Redis server. Does not load a Redis
 * client.
 */

export { type ApiKey, type KeyList, ROLES, type Role, readKeyList } from './config/api-keys.ts';
export { type Config, describeConfig, type Environment, readConfig } from './config/config.ts';
export { shownRedisUrl, withPrefix } from './config/redis-url.ts';
export { MAX_KEEP_DAYS } from './config/variables.ts';
export type { CpuReaderOptions } from './cpu/cgroup.ts';
export { type CpuPressure, readCpuPressure } from './cpu/pressure.ts';
export { defaultThreads, readAllowedCpus, readCpuQuota } from './cpu/quota.ts';
export { type CpuUsage, readCpuUsage } from './cpu/usage.ts';
export { ageSortedId } from './disk/age-sorted-id.ts';
export { AppendedFile, type AppendedFileDeps } from './disk/appended-file.ts';
export { createExclusive } from './disk/create-exclusive.ts';
export { type ClaimOptions, FolderOwner } from './disk/folder-owner.ts';
export { removeLeftovers } from './disk/remove-leftovers.ts';
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
export { collectGarbageLessOften } from './garbage.ts';
export { isRunning, markOf, type ProcessMark } from './lifecycle/process-mark.ts';
export { type Deferred, deferred, settledWithin, throttled } from './lifecycle/promises.ts';
export { Releasers } from './lifecycle/releasers.ts';
export { explainFault, runProcess } from './lifecycle/run-process.ts';
export {
  announce,
  type ChildReport,
  runUntilStopped,
  type StopReason,
  whenStopped,
} from './lifecycle/signals.ts';
export { availableMemoryBytes, memoryLimitBytes } from './memory.ts';
export { findRedis, type RedisProgram } from './redis-server/find.ts';
export type { PrivateRedisExit } from './redis-server/private-redis.ts';
export { redisServerProblem } from './redis-server/problem.ts';
export { provideRedis } from './redis-server/provide.ts';
export { type ResolvedRedis, type ResolveRedisOptions, resolveRedis } from './redis-server/resolve.ts';
export { steadyNow } from './steady-clock.ts';
