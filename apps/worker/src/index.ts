/** The worker: takes batches from the queue, embeds them in inference threads, commits the vectors. */

export { InferencePool, type InferencePoolOptions } from './inference/index.ts';
export { runWorker } from './process.ts';
export { type RunningWorker, startWorker, type WorkerOptions } from './worker.ts';
