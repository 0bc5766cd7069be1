/** The public interface of `@embedmill/contract`: every word that more than one package uses, defined once. */

export * from './errors.ts';
export * from './limits.ts';
export * from './rows.ts';
export * from './runs.ts';
export * from './treatment.ts';
export * from './vectors.ts';
export * from './verdicts.ts';
