/** A metric never throws into the work that it counts. */

import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { Counter, Gauge, Histogram } from '../../../packages/core/src/telemetry/metrics/guarded.ts';

it('drops what prom-client refuses and counts the rest', async () => {
  const registry = new Registry();
  const of = (name: string) => ({ name, help: 'help', registers: [registry] });
  const counter = new Counter(of('counted'));
  const gauge = new Gauge(of('level'));
  const histogram = new Histogram({ ...of('seconds'), buckets: [1] });
  for (const value of [Number.NaN, -1, 'many' as unknown as number, 2]) counter.inc(value);
  for (const value of [Number.NaN, 3]) gauge.set(value);
  for (const value of ['many' as unknown as number, 0.5]) histogram.observe(value);
  histogram.startTimer()();
  const page = await registry.metrics();
  expect(page).toContain('counted 2\n');
  expect(page).toMatch(/^level 3$/m);
  expect(page).toContain('seconds_count 2\n');
});
