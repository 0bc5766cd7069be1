/** Who works and what goes on: workers report, the producer reads. */

export { Heartbeat, type HeartbeatDeps } from './heartbeat.ts';
export type { Overview } from './overview.ts';
export { readWorkers } from './read-workers.ts';
export type { WorkerReport } from './types.ts';
