/** The fleet: workers report their state, the producer reads it. */

export { FleetModels, type WantedModel } from './fleet-models.ts';
export { Heartbeat, type HeartbeatDeps } from './heartbeat.ts';
export { isWorkerAlive } from './liveness.ts';
export type { Overview } from './overview.ts';
export { readWorkers } from './read-workers.ts';
export type { WorkerReport } from './types.ts';
