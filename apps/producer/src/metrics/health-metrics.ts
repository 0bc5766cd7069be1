/** Metrics of the health: one series per kind of problem, and the free space of the data folder. */

import { type Health, PROBLEM_CODES } from '@embedmill/contract';
import { readGauge } from '@embedmill/core/telemetry';
import { Gauge, type Registry } from 'prom-client';

/** What the metrics are read from. */
export interface HealthMetricsDeps {
  health: () => Promise<Health>;
  /** Free bytes on the disk of the data folder; undefined if unknown. */
  freeBytes: () => Promise<number | undefined>;
  /** Size of what is in the data folder; `null` until it is open. */
  stored: () => { runsBytes: number; filesBytes: number } | null;
}

/** Registers the metrics. */
export function registerHealthMetrics(
  registry: Registry,
  { health, freeBytes, stored }: HealthMetricsDeps,
): void {
  new Gauge({
    name: 'embedmill_health_problem',
    help: 'Whether there is a problem of this kind now: 1 or 0.',
    labelNames: ['code'],
    registers: [registry],
    async collect() {
      const { problems } = await health();
      for (const code of PROBLEM_CODES) {
        // A producer that answers is there.
        if (code === 'producer') continue;
        this.set({ code }, problems.some((each) => each.code === code) ? 1 : 0);
      }
    },
  });
  readGauge(
    registry,
    { name: 'embedmill_data_free_bytes', help: 'Free bytes on the disk of the data folder.' },
    freeBytes,
  );
  new Gauge({
    name: 'embedmill_data_bytes',
    help: 'Size of the data folder: the files of all runs, and those of the OpenAI API.',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      const sizes = stored();
      if (sizes === null) return;
      this.set({ kind: 'runs' }, sizes.runsBytes);
      this.set({ kind: 'files' }, sizes.filesBytes);
    },
  });
}
