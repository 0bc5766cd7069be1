/** The port to distributed tracing, with which producer and worker create spans around their steps. */

import type { IncomingHttpHeaders } from 'node:http';
import type { Telemetry } from 'bullmq';
import type { Logger } from 'pino';

/** Dependencies of a tracing implementation. */
export interface TracingDeps {
  /** `service.name` of the spans. */
  service: string;
  log: Logger;
}

/** The attributes of a span: ids and counts, never texts. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** A span that has not ended. */
export interface OpenSpan {
  /** Adds a finished child span, for work of another thread; times in milliseconds since 1970. */
  addStep(name: string, attributes: SpanAttributes, startedAtMs: number, endedAtMs: number): void;
}

/** The span of a request in progress. */
export interface RequestSpan {
  /** Ends the span and sets its name, which is known only after routing. */
  end(name: string, attributes: SpanAttributes, hasFailed: boolean): void;
}

/** Creates spans. The current span is propagated implicitly across awaits and through the queue. */
export interface Tracing {
  /** Runs `step` in a child of the current span. An error is recorded and rethrown. */
  span<Value>(
    name: string,
    attributes: SpanAttributes,
    step: (span: OpenSpan) => Promise<Value>,
  ): Promise<Value>;
  /**
   * Runs `serve` in the span of a request, a child of the caller's span if `headers` name one (W3C
   * `traceparent`).
   */
  request(headers: IncomingHttpHeaders, serve: (span: RequestSpan) => void): void;
  /** The context of the current span as W3C `traceparent`; `undefined` without tracing. */
  context(): string | undefined;
  /** Runs `step` in a span of another process's work, a child of its span in `context` (W3C `traceparent`). */
  resume<Value>(
    context: string | undefined,
    name: string,
    attributes: SpanAttributes,
    step: () => Promise<Value>,
  ): Promise<Value>;
  /** Propagates the context through BullMQ; `undefined` without tracing. */
  readonly telemetry: Telemetry | undefined;
  /** Exports the remaining spans. */
  stop(): Promise<void>;
}
