/** The queue of batches: ports, and their implementation on BullMQ. */

export { BullBatchConsumer, type BullConsumerDeps } from './bullmq-consumer.ts';
export { BullBatchQueue, type BullQueueDeps } from './bullmq-queue.ts';
export type {
  BatchConsumer,
  BatchJob,
  BatchQueue,
  Consume,
  ConsumeOutcome,
  Delivery,
  QueueCounts,
  QueueState,
} from './types.ts';
