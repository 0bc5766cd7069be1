/** The exchange of payloads and results between producers and workers. */

export { AbandonedResults, type AbandonedResultsDeps } from './abandoned.ts';
export { RedisExchange, type RedisExchangeDeps } from './redis.ts';
export type {
  BatchPresence,
  CommitOutcome,
  ProbeHistory,
  ProducerExchange,
  ReadyBatch,
  TakenPayload,
  WorkerExchange,
} from './types.ts';
export { ValueReader } from './value-reader.ts';
