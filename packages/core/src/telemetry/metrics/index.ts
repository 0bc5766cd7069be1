/** What the metrics of producer and worker have in common. */

export { LATENCY_BUCKETS_SECONDS, STAGE_BUCKETS_SECONDS } from './buckets.ts';
export { CpuLoad, type CpuLoadDeps } from './cpu-load.ts';
export { registerCpuMetrics, registerProcessMetrics, usableCores } from './cpu-metrics.ts';
export { Counter, Gauge, Histogram } from './guarded.ts';
export { type RedisInfo, registerRedisMetrics } from './redis-metrics.ts';
export { copyCounter, readGauge, type SeriesDoc, sharedAnswer } from './series.ts';
