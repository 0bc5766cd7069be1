/** Telemetry: logger, metrics and tracing. */

export { createLogger } from './logger.ts';
export { LATENCY_BUCKETS_SECONDS, STAGE_BUCKETS_SECONDS } from './metrics/buckets.ts';
export { CpuLoad, type CpuLoadDeps } from './metrics/cpu-load.ts';
export { registerCpuMetrics, registerProcessMetrics, usableCores } from './metrics/cpu-metrics.ts';
export { Counter, Gauge, Histogram } from './metrics/guarded.ts';
export { type RedisInfo, registerRedisMetrics } from './metrics/redis-metrics.ts';
export { cachedQuery, copyCounter, readGauge, type SeriesDoc } from './metrics/series.ts';
export { noTracing } from './tracing/no-tracing.ts';
export { openTracing } from './tracing/open.ts';
export type { OpenSpan, RequestSpan, SpanAttributes, Tracing, TracingDeps } from './tracing/types.ts';
