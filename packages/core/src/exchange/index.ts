/** What producers, workers and collectors exchange through Redis. */

export { RedisExchange, type RedisExchangeParts } from './redis.ts';
export type {
  BatchPresence,
  CommitOutcome,
  ProducerExchange,
  ReadyBatch,
  TakenPayload,
  Trials,
  WorkerExchange,
} from './types.ts';
