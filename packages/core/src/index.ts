/** The public surface of `@embedmill/core`. */

export * from './batch/index.ts';
export * from './errors.ts';
