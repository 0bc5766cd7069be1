/** The job queues: ports, and their implementation on BullMQ. */

export { BullBatchConsumer, type BullConsumerDeps } from './bullmq-consumer.ts';
export { BullBatchQueue, BullInteractiveQueue, type BullQueueDeps, type OwnQueues } from './bullmq-queue.ts';
export type {
  BatchConsumer,
  BatchJob,
  BatchQueue,
  Consume,
  ConsumeOutcome,
  Delivery,
  JobQueue,
  QueueCounts,
  QueueState,
} from './types.ts';
