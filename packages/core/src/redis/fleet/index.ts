/** The fleet: workers report their state, the producer reads it. */

export { FleetModels, type OfferedModel, type WantedModel } from './fleet-models.ts';
export { Heartbeat, type HeartbeatDeps } from './heartbeat.ts';
export { isWorkerAlive } from './liveness.ts';
export { type ModelRequest, ModelRequests } from './model-requests.ts';
export type { Overview } from './overview.ts';
export { readWorkers } from './read-workers.ts';
export type { ModelLoad, WorkerModel, WorkerReport } from './types.ts';
