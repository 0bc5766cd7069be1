/** The job queue. */

export { BullBatchConsumer, type BullConsumerParts } from './bullmq-consumer.ts';
export { BullBatchQueue, type BullQueueParts } from './bullmq-queue.ts';
export type {
  BatchConsumer,
  BatchJob,
  BatchQueue,
  Consume,
  ConsumeOutcome,
  Delivery,
  QueueCounts,
} from './types.ts';
