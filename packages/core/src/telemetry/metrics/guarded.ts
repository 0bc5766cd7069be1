/**
 * Counters, gauges and histograms that never throw: prom-client refuses values such as NaN, and a metric must not fail the work that
 * it counts. Such a sample is dropped. Producer and worker use only these.
 */

import * as prom from 'prom-client';

/** Replaces a method by one that drops what prom-client refuses. */
function guard<Name extends string>(
  metric: { [name in Name]: (...values: never[]) => unknown },
  name: Name,
): void {
  const step = metric[name].bind(metric) as (...values: unknown[]) => unknown;
  const guarded = (...values: unknown[]): void => {
    // prom-client takes NaN, and then the sum stays NaN.
    if (values.some(Number.isNaN)) return;
    try {
      step(...values);
    } catch {
      // The sample is dropped: a gap in a series is better than failed work.
    }
  };
  Object.assign(metric, { [name]: guarded });
}

/** A counter; decreases and values that are not numbers are dropped. */
export class Counter<Label extends string = string> extends prom.Counter<Label> {
  constructor(options: prom.CounterConfiguration<Label>) {
    super(options);
    guard(this, 'inc');
  }
}

/** A gauge; values that are not numbers are dropped. */
export class Gauge<Label extends string = string> extends prom.Gauge<Label> {
  constructor(options: prom.GaugeConfiguration<Label>) {
    super(options);
    guard(this, 'set');
  }
}

/** A histogram; values that are not numbers are dropped. */
export class Histogram<Label extends string = string> extends prom.Histogram<Label> {
  constructor(options: prom.HistogramConfiguration<Label>) {
    super(options);
    guard(this, 'observe');
  }
}
