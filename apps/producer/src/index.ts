/** The producer: takes texts over HTTP, enqueues batches, collects vectors into files. */

export {
  type Access,
  KeyRing,
  type KeyRingDeps,
  type Need,
  needOf,
  openRateLimiter,
  type RateLimiter,
  type Rule,
  ruleFor,
} from './access/index.ts';
export { createApi } from './app.ts';
export { type ApiDeps, type ApiLimits, defaultApiLimits, type ProducerService } from './http/types.ts';
export { Batches } from './openai/batches/batches.ts';
export { FileStore } from './openai/files/file-store.ts';
export { type ScaleDeps, Scaler } from './overview/scale.ts';
export { runProducer } from './process.ts';
export { type RunningProducer, startProducer } from './producer.ts';
