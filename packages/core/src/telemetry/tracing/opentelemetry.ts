/** Tracing with OpenTelemetry, exported over OTLP/HTTP; `open.ts` loads it only if an endpoint is set. */

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
import type { OpenSpan, RequestSpan, SpanAttributes, Tracing, TracingDeps } from './types.ts';

/** Instrumentation scope of the spans. */
const SCOPE = 'embedmill';

/**
 * Maximum time per export with its retries; an unreachable collector must not delay the exit of the process.
 */
const EXPORT_TIMEOUT_MS = 3_000;

/** Minimum time between two log lines about failed exports. */
const WARNING_INTERVAL_MS = 60_000;

/**
 * A trace starts with a request or a batch. BullMQ also creates spans for its own work (fetching the next
 * job, renewing locks); these do not start a trace, or an idle worker would export some every few seconds.
 */
const ROOT_SAMPLER: Sampler = {
  shouldSample: (_context, _traceId, _name, kind) => ({
    decision: kind === SpanKind.INTERNAL ? SamplingDecision.NOT_RECORD : SamplingDecision.RECORD_AND_SAMPLED,
  }),
  toString: () => 'RequestsAndBatches',
};

/** @see Tracing */
export class OpenTelemetryTracing implements Tracing {
  readonly telemetry: BullMQOtel;
  readonly #provider: NodeTracerProvider;
  readonly #tracer: Tracer;

  constructor({ otlpUrl, service, log }: TracingDeps & { otlpUrl: string }) {
    logExportFailures(log);
    const exporter = new OTLPTraceExporter({ url: tracesUrl(otlpUrl), timeoutMillis: EXPORT_TIMEOUT_MS });
    this.#provider = new NodeTracerProvider({
      resource: resourceFromAttributes({ 'service.name': service }),
      sampler: new ParentBasedSampler({ root: ROOT_SAMPLER }),
      spanProcessors: [new BatchSpanProcessor(exporter)],
    });
    // Registered globally, as BullMQ's adapter requires. Baggage is not propagated: callers could fill Redis
    // with it.
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

  context(): string | undefined {
    const carrier: { traceparent?: string } = {};
    propagation.inject(context.active(), carrier);
    return carrier.traceparent;
  }

  resume<Value>(
    traceparent: string | undefined,
    name: string,
    attributes: SpanAttributes,
    step: () => Promise<Value>,
  ): Promise<Value> {
    const caller = propagation.extract(ROOT_CONTEXT, { traceparent });
    const span = this.#tracer.startSpan(name, { attributes, kind: SpanKind.CONSUMER }, caller);
    return context.with(trace.setSpan(caller, span), async () => {
      try {
        return await step();
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.end();
      }
    });
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

/** The traces URL below the base URL of the endpoint (OpenTelemetry, "OTLP Exporter Configuration"). */
function tracesUrl(otlpUrl: string): string {
  return `${otlpUrl.replace(/\/+$/, '')}/v1/traces`;
}

/** Logs failed exports, whose spans are dropped, at most once per `WARNING_INTERVAL_MS`. */
function logExportFailures(log: Logger): void {
  let silentUntil = 0;
  const ignore = () => {};
  const error = (message: string) => {
    if (performance.now() < silentUntil) return;
    silentUntil = performance.now() + WARNING_INTERVAL_MS;
    log.warn({ reason: message }, 'trace export failed, spans dropped');
  };
  diag.setLogger(
    { error, warn: ignore, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true },
  );
}
