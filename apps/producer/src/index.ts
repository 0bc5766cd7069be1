/** The producer: takes texts over HTTP, enqueues batches, collects vectors into files. */

export { runProducer } from './process.ts';
export { type RunningProducer, startProducer } from './producer.ts';
