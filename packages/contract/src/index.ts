/**
 * The public interface of `@embedmill/contract`: the words and values that several packages share, defined
 * once.
 */

export * from './alerts.ts';
export * from './analysis.ts';
export * from './catalogue.ts';
export * from './columns.ts';
export * from './errors.ts';
export * from './halves.ts';
export * from './health.ts';
export * from './language-signal.ts';
export * from './limits.ts';
export * from './model-names.ts';
export * from './model-record.ts';
export * from './rows.ts';
export * from './run-models.ts';
export * from './runs.ts';
export * from './score-baseline.ts';
export * from './scripts.ts';
export * from './search.ts';
export * from './treatment.ts';
export * from './vector-blocks.ts';
export * from './vectors.ts';
export * from './verdicts.ts';
