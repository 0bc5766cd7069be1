/** The producer: takes texts over HTTP, enqueues batches, collects vectors into files. */

export {
  type Access,
  KeyRing,
  type KeyRingParts,
  type Need,
  needOf,
  openRateLimiter,
  type RateLimiter,
  type Rule,
  ruleFor,
} from './access/index.ts';
export { createApi } from './api/app.ts';
export { type ApiLimits, type ApiParts, defaultApiLimits, type ProducerService } from './api/types.ts';
export { Batches } from './batches/batches.ts';
export { FileStore } from './files/file-store.ts';
export { runProducer } from './process.ts';
export { type RunningProducer, startProducer } from './producer.ts';
export { type Scale, type ScaleParts, Scaler } from './scale/scale.ts';
