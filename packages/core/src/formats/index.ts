/** Formats: readers of rows, writers of vectors, exact search over vectors. Does not load a Redis client. */

export * from './rows/index.ts';
export * from './search/index.ts';
export * from './sinks/index.ts';
