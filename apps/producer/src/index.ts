/** The producer: accepts texts over HTTP, enqueues batches and collects vectors into files. */

export {
  type Access,
  type AccessRule,
  KeyRing,
  type KeyRingDeps,
  type Need,
  needOf,
  openRateLimiter,
  type RateLimiter,
  RULES,
  ruleFor,
} from './access/index.ts';
export { type ApiDeps, createApi, type ProducerService } from './app.ts';
export { FiringAlerts } from './health/firing-alerts.ts';
export { type HealthFacts, healthOf, remedyOf } from './health/problems.ts';
export { MemoryBudget, type MemoryShare, memoryBudgetBytes } from './http/memory-budget.ts';
export { type ApiLimits, DEFAULT_API_LIMITS } from './http/types.ts';
export { RunColumns } from './native/run-columns.ts';
export { OpenAiBatchStore } from './openai/batches/batch-store.ts';
export { FileStore } from './openai/files/file-store.ts';
export { type ScaleDeps, Scaler } from './overview/scale.ts';
export { runProducer } from './process.ts';
export { type RunningProducer, startProducer } from './producer.ts';
