/** Tracing with OpenTelemetry, delivered over OTLP/HTTP; loaded by `open.ts` only when there is an endpoint. */

import type { IncomingHttpHeaders } from 'node:http';
import { asError } from '@embedmill/contract';
import {
  context,
  DiagLogLevel,
  diag,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
} from '@opentelemetry/sdk-trace-node';
import { BullMQOtel } from 'bullmq-otel';
import type { Logger } from 'pino';
import type { TracingDeps } from './open.ts';
import type { OpenSpan, RequestSpan, SpanAttributes, Tracing } from './types.ts';

/** Name of the library that makes the spans. */
const SCOPE = 'embedmill';

/** Time for one delivery with its repetitions; a collector that is away must not keep a process from its end. */
const DELIVERY_MS = 3_000;

/** Least time between two log lines about a collector that does not take spans. */
const TROUBLE_INTERVAL_MS = 60_000;

/**
 * A trace begins with a request or with a batch. BullMQ also makes spans for its housekeeping (asking for the next job, renewing
 * locks); those begin no trace of their own, or an idle worker would deliver some every few seconds.
 */
const BEGINNINGS: Sampler = {
  shouldSample: (_context, _traceId, _name, kind) => ({
    decision: kind === SpanKind.INTERNAL ? SamplingDecision.NOT_RECORD : SamplingDecision.RECORD_AND_SAMPLED,
  }),
  toString: () => 'Beginnings',
};

/** @see Tracing */
export class OpenTelemetryTracing implements Tracing {
  readonly telemetry: BullMQOtel;
  readonly #provider: NodeTracerProvider;
  readonly #tracer: Tracer;

  constructor({ otlpUrl, service, log }: TracingDeps & { otlpUrl: string }) {
    reportTrouble(log);
    const exporter = new OTLPTraceExporter({ url: tracesUrl(otlpUrl), timeoutMillis: DELIVERY_MS });
    this.#provider = new NodeTracerProvider({
      resource: resourceFromAttributes({ 'service.name': service }),
      sampler: new ParentBasedSampler({ root: BEGINNINGS }),
      spanProcessors: [new BatchSpanProcessor(exporter)],
    });
    // For the whole process, because that is where BullMQ's adapter looks. No baggage: callers could fill Redis with it.
    this.#provider.register({ propagator: new W3CTraceContextPropagator() });
    this.#tracer = trace.getTracer(SCOPE);
    this.telemetry = new BullMQOtel({ tracerName: SCOPE });
  }

  span<Value>(
    name: string,
    attributes: SpanAttributes,
    step: (span: OpenSpan) => Promise<Value>,
  ): Promise<Value> {
    return this.#tracer.startActiveSpan(name, { attributes }, async (span) => {
      try {
        return await step(this.#openSpan(span));
      } catch (error) {
        span.recordException(asError(error));
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.end();
      }
    });
  }

  request(headers: IncomingHttpHeaders, serve: (span: RequestSpan) => void): void {
    const caller = propagation.extract(ROOT_CONTEXT, headers);
    const span = this.#tracer.startSpan('request', { kind: SpanKind.SERVER }, caller);
    const requestSpan: RequestSpan = {
      end: (name, attributes, hasFailed) => {
        span.updateName(name).setAttributes(attributes);
        if (hasFailed) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      },
    };
    context.with(trace.setSpan(caller, span), serve, undefined, requestSpan);
  }

  async stop(): Promise<void> {
    await this.#provider.shutdown().catch((error) => diag.error(asError(error).message));
  }

  #openSpan(span: Span): OpenSpan {
    const here = trace.setSpan(context.active(), span);
    return {
      addStep: (name, attributes, startedAtMs, endedAtMs) =>
        this.#tracer.startSpan(name, { attributes, startTime: startedAtMs }, here).end(endedAtMs),
    };
  }
}

/** The endpoint is a base URL; traces go below it (OpenTelemetry, "OTLP Exporter Configuration"). */
function tracesUrl(otlpUrl: string): string {
  return `${otlpUrl.replace(/\/+$/, '')}/v1/traces`;
}

/** Spans that cannot be delivered are dropped; the log says so now and then. */
function reportTrouble(log: Logger): void {
  let silentUntil = 0;
  const ignore = () => {};
  const error = (message: string) => {
    if (performance.now() < silentUntil) return;
    silentUntil = performance.now() + TROUBLE_INTERVAL_MS;
    log.warn({ reason: message }, 'traces are not taken; they are dropped');
  };
  diag.setLogger(
    { error, warn: ignore, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true },
  );
}
