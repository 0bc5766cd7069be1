/** The port to distributed tracing: producer and worker put spans around their steps, whether anybody collects them or not. */

import type { IncomingHttpHeaders } from 'node:http';
import type { Telemetry } from 'bullmq';

/** What a span says besides its name and its times. Ids belong here; texts never do. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** A span that is open. */
export interface OpenSpan {
  /** Notes a step below this one that is over, for what ran in another thread; times in milliseconds since 1970. */
  addStep(name: string, attributes: SpanAttributes, startedAtMs: number, endedAtMs: number): void;
}

/** The span of a request that is being answered. */
export interface RequestSpan {
  /** Closes it under the name that the request turned out to have. */
  end(name: string, attributes: SpanAttributes, hasFailed: boolean): void;
}

/** Makes spans. What is called inside one finds it by itself, across awaits and through the queue. */
export interface Tracing {
  /** Runs `step` in a span below the one around it. What it throws is noted and thrown. */
  span<Value>(
    name: string,
    attributes: SpanAttributes,
    step: (span: OpenSpan) => Promise<Value>,
  ): Promise<Value>;
  /** Runs `serve` in the span of a request, below the span of the caller if `headers` name one (W3C `traceparent`). */
  request(headers: IncomingHttpHeaders, serve: (span: RequestSpan) => void): void;
  /** Takes the context through BullMQ; `undefined` when there is none to take. */
  readonly telemetry: Telemetry | undefined;
  /** Delivers what is still here. */
  stop(): Promise<void>;
}
