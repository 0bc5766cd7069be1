/** What producers, workers and collectors exchange through Redis. */

export { RedisExchange, type RedisExchangeDeps } from './redis.ts';
export type {
  BatchPresence,
  CommitOutcome,
  ProducerExchange,
  ReadyBatch,
  TakenPayload,
  Trials,
  WorkerExchange,
} from './types.ts';
