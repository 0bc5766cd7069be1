/** Distributed tracing. */

export { noTracing } from './no-tracing.ts';
export { openTracing, type TracingParts } from './open.ts';
export type { OpenSpan, RequestSpan, SpanAttributes, Tracing } from './types.ts';
