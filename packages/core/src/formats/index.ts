/** Formats: readers of rows, writers of vectors, exact search over vectors. Loads no client of Redis. */

export * from './rows/index.ts';
export * from './search/index.ts';
export * from './sinks/index.ts';
