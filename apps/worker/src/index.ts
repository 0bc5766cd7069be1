/** The public interface of the worker: start one, or use its pool of inference threads alone. */

export { InferencePool, type InferencePoolOptions } from './inference/index.ts';
export { runWorker } from './process.ts';
export { type RunningWorker, startWorker, type WorkerOptions } from './worker.ts';
