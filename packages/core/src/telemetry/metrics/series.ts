/** Declares metrics whose values are read when Prometheus scrapes them. */

import type { Registry } from 'prom-client';
import { Counter, Gauge } from './guarded.ts';

/** The name and the help text of a metric. */
export interface SeriesDoc {
  /** Metric name with the prefix `embedmill_` and the unit. */
  name: string;
  help: string;
}

/** Registers a gauge without labels; it is absent while `read` returns undefined. */
export function readGauge(
  registry: Registry,
  { name, help }: SeriesDoc,
  read: () => number | undefined | Promise<number | undefined>,
): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    async collect() {
      const value = await read();
      if (value === undefined) this.remove();
      else this.set(value);
    },
  });
}

/**
 * Registers a counter that copies a sum kept elsewhere (kernel, Redis); it is absent while `read` returns
 * undefined.
 */
export function copyCounter(
  registry: Registry,
  { name, help }: SeriesDoc,
  read: () => number | undefined | Promise<number | undefined>,
): void {
  new Counter({
    name,
    help,
    registers: [registry],
    async collect() {
      const sum = await read();
      if (sum === undefined) this.remove();
      else {
        this.reset();
        this.inc(sum);
      }
    },
  });
}

/**
 * Returns a function that calls `query` at most once per `ms` milliseconds, so that the series of one scrape
 * share one call. A failure gives undefined, which is cached as well.
 */
export function cachedQuery<Value>(
  ms: number,
  query: () => Promise<Value>,
): () => Promise<Value | undefined> {
  let queriedAt = Number.NEGATIVE_INFINITY;
  let result: Promise<Value | undefined> = Promise.resolve(undefined);
  return () => {
    if (performance.now() - queriedAt > ms) {
      queriedAt = performance.now();
      result = query().catch(() => undefined);
    }
    return result;
  };
}
