/** The public surface of `@embedmill/analysis`. */
export * from './calibration/index.ts';
export { type Random, randomFrom } from './random.ts';
