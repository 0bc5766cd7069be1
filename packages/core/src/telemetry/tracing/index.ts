/** Distributed tracing. */

export { noTracing } from './no-tracing.ts';
export { openTracing, type TracingDeps } from './open.ts';
export type { OpenSpan, RequestSpan, SpanAttributes, Tracing } from './types.ts';
