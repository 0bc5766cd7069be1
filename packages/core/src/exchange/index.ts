/** What producers, workers and collectors exchange through Redis. */

export { RedisExchange, type RedisExchangeParts } from './redis.ts';
export type {
  BatchPresence,
  CommitOutcome,
  ProducerExchange,
  ReadyBatch,
  TakenPayload,
  WorkerExchange,
} from './types.ts';
