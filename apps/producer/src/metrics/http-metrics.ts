/** Metrics of the requests to the API: rate, errors and duration. */

import { Counter, Histogram } from '@embedmill/core/telemetry';
import type { Registry } from 'prom-client';

/** A request that was answered, or whose client disconnected. */
export interface AnsweredRequest {
  method: string;
  /** The pattern of the route, never the path of the request; `undefined` if no route matched. */
  route: string | undefined;
  status: number;
  seconds: number;
}

/** Methods with their own series; all others are `other`, so that clients cannot create labels. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PATCH', 'DELETE', 'OPTIONS']);

/** From health checks to uploads of large parts. */
const BUCKETS_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** Routes that every client uses; their series exist from the start, at zero. */
const USUAL_ROUTES = [
  { method: 'POST', route: '/v1/runs' },
  { method: 'GET', route: '/v1/runs/:id' },
  { method: 'POST', route: '/v1/runs/:id/rows' },
  { method: 'POST', route: '/v1/runs/:id/seal' },
  { method: 'GET', route: '/v1/runs/:id/results' },
  { method: 'POST', route: '/v1/embed' },
  { method: 'POST', route: '/v1/embeddings' },
  { method: 'POST', route: '/api/embed' },
  { method: 'POST', route: '/embed' },
];

/** Registers `embedmill_http_*`. Returns a function that counts a request. */
export function registerHttpMetrics(registry: Registry): (request: AnsweredRequest) => void {
  const registers = [registry];
  const requests = new Counter({
    name: 'embedmill_http_requests_total',
    help: 'Requests to the API by status class.',
    labelNames: ['method', 'route', 'status'],
    registers,
  });
  const seconds = new Histogram({
    name: 'embedmill_http_request_seconds',
    help: 'Time from a request to the end of its response.',
    labelNames: ['method', 'route'],
    buckets: BUCKETS_SECONDS,
    registers,
  });
  for (const labels of USUAL_ROUTES) {
    for (const status of ['2xx', '4xx', '5xx']) requests.inc({ ...labels, status }, 0);
    seconds.zero(labels);
  }
  return (answered) => {
    const method = METHODS.has(answered.method) ? answered.method : 'other';
    const route = answered.route ?? 'none';
    requests.inc({ method, route, status: `${Math.floor(answered.status / 100)}xx` });
    seconds.observe({ method, route }, answered.seconds);
  };
}
