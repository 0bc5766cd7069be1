/** Metrics of interactive calls. */

import { CALL_OUTCOMES, type SettledCall } from '@embedmill/core/redis';
import { Counter, Histogram, LATENCY_BUCKETS_SECONDS, readGauge } from '@embedmill/core/telemetry';
import type { Registry } from 'prom-client';

/** Registers `embedmill_interactive_*`. Returns a function that counts a finished call. */
export function registerLaneMetrics(
  registry: Registry,
  textsInFlight: () => number,
): (call: SettledCall) => void {
  const registers = [registry];
  readGauge(
    registry,
    { name: 'embedmill_interactive_texts_in_flight', help: 'Interactive texts waiting for their answer.' },
    textsInFlight,
  );
  const calls = new Counter({
    name: 'embedmill_interactive_calls_total',
    help: 'Interactive calls by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  const seconds = new Histogram({
    name: 'embedmill_interactive_call_seconds',
    help: 'Time from an interactive call to its answer; excludes unanswered calls.',
    buckets: [...LATENCY_BUCKETS_SECONDS],
    registers,
  });
  for (const outcome of CALL_OUTCOMES) calls.inc({ outcome }, 0);
  return (call) => {
    calls.inc({ outcome: call.outcome });
    if (call.outcome === 'answered') seconds.observe(call.seconds);
  };
}
