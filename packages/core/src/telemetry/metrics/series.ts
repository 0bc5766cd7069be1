/** Small ways to declare series that are read when Prometheus asks; the metrics of producer and worker use them. */

import type { Registry } from 'prom-client';
import { Counter, Gauge } from './guarded.ts';

/** What a series is called and what it means. */
export interface SeriesDoc {
  /** With the prefix `embedmill_` and the unit. */
  name: string;
  help: string;
}

/** A gauge without labels; absent from the page while `read` gives undefined. */
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

/** A counter whose sum is kept elsewhere (by the kernel, by Redis) and only copied; absent while `read` gives undefined. */
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
 * The answer to `ask`, asked at most once in `ms`, so that the series of one page share one question.
 * A failure is an answer too: undefined.
 */
export function sharedAnswer<Value>(ms: number, ask: () => Promise<Value>): () => Promise<Value | undefined> {
  let askedAt = Number.NEGATIVE_INFINITY;
  let answer: Promise<Value | undefined> = Promise.resolve(undefined);
  return () => {
    if (performance.now() - askedAt > ms) {
      askedAt = performance.now();
      answer = ask().catch(() => undefined);
    }
    return answer;
  };
}
