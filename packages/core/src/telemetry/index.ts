/** Telemetry: logger, metrics and tracing. */

export { createLogger } from './logger.ts';
export * from './metrics/index.ts';
export * from './tracing/index.ts';
