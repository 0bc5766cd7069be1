/**
 * Runs all queries of the dashboards and all rules on a real Prometheus that scrapes a producer and two busy
 * workers. EMBEDMILL_TEST_PANELS=FILE stores the results of the overview; test/compose/render-overview.mjs
 * draws them.
 */

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { readConfig } from '@embedmill/core/process';
import { createLogger } from '@embedmill/core/telemetry';
import { startProducer } from '@embedmill/producer';
import { startWorker } from '@embedmill/worker';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';
import { hasPrometheus, startPrometheus } from '../support/prometheus.ts';
import { testRedis } from '../support/redis.ts';

interface Panel {
  type: string;
  title: string;
  description: string;
  datasource: { uid: string };
  fieldConfig: { defaults: { unit: string } };
  gridPos: { x: number; y: number; w: number; h: number };
  targets: { expr: string; legendFormat: string }[];
}
interface Dashboard {
  uid: string;
  title: string;
  panels: Panel[];
}

/** One call to each API for embeddings. */
const CALLS = [
  ['/v1/embed', { text: 'a quiet morning' }],
  ['/v1/embeddings', { model: 'all-MiniLM-L6-v2', input: 'a quiet morning' }],
  ['/api/embed', { model: 'all-minilm', input: 'a quiet morning' }],
  ['/embed', { inputs: 'a quiet morning' }],
] as const;

/** Empty as long as nothing is wrong; test/faults/slow/alerts.test.ts runs it while alerts fire. */
const FIRING = 'ALERTS{alertstate="firing"}';

const FOLDER = new URL('../../infra/grafana/dashboards/', import.meta.url);
const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.json')).sort();
const dashboards = await Promise.all(
  names.map(async (name) => JSON.parse(await readFile(new URL(name, FOLDER), 'utf8')) as Dashboard),
);

if (!hasPrometheus) console.warn("prometheus is not installed (Debian's package): the queries are skipped");

describe('the dashboards', () => {
  it('give each panel a description and a unit, and refer to the data source by uid', async () => {
    const source = await readFile(new URL('../provisioning/datasources/prometheus.yml', FOLDER), 'utf8');
    expect(dashboards.map(({ uid }) => uid)).toEqual([
      'embedmill-api',
      'embedmill-overview',
      'embedmill-queue',
      'embedmill-workers',
    ]);
    for (const { panels, title } of dashboards) {
      for (const panel of panels) {
        expect(panel.title, title).toMatch(/\w/);
        expect(panel.description, panel.title).toMatch(/\.$/);
        expect(panel.fieldConfig.defaults.unit, panel.title).toMatch(/\w/);
        expect(source).toContain(`uid: ${panel.datasource.uid}\n`);
        expect(panel.gridPos.x + panel.gridPos.w, panel.title).toBeLessThanOrEqual(24);
      }
      const places = panels.map(({ gridPos }) => `${gridPos.x},${gridPos.y}`);
      expect(new Set(places).size).toBe(places.length);
    }
  });

  it.skipIf(!hasPrometheus)(
    'get data for every query while a run is active',
    async () => {
      const log = createLogger({ logLevel: 'silent' }, 'test');
      const redis = testRedis();
      const shared = { ...readConfig({}), redisUrl: redis.url, prefix: redis.prefix };
      const producer = await startProducer({ ...shared, port: 0, dataDir: temporaryFolder() }, { log });
      onTestFinished(() => producer.stop());
      const workers = await Promise.all(
        [1, 2].map(() => startWorker({ ...shared, workerPort: 0, threads: 1 }, { log })),
      );
      for (const worker of workers) onTestFinished(() => worker.stop());
      await expect.poll(async () => (await fetch(`${producer.url}/readyz`)).status).toBe(200);
      const prometheus = await startPrometheus({
        'embedmill-producer': [producer.url],
        'embedmill-worker': workers.map(({ url }) => url),
      });

      const post = async (path: string, body: string, type: string) =>
        (
          await fetch(`${producer.url}${path}`, { method: 'POST', headers: { 'content-type': type }, body })
        ).json();
      const { id } = (await post('/v1/runs', '{"batchRows":40}', 'application/json')) as { id: string };
      const rows = Array.from({ length: 20_000 }, (_, i) =>
        JSON.stringify({ text: `Row ${i} was longer than it had to be.` }),
      );
      await post(`/v1/runs/${id}/rows?part=0`, rows.join('\n'), 'application/x-ndjson');
      // Rates need two scrapes with a change in between, and rules one more evaluation.
      const routes = CALLS.map(([route]) => route).join('|');
      const called = `rate(embedmill_http_requests_total{route=~"${routes}",status="2xx"}[1m]) > 0`;
      await expect
        .poll(async () => {
          // Requests continue, so that their durations have a rate as well.
          await fetch(`${producer.url}/v1/runs/${id}`);
          for (const [route, body] of CALLS) await post(route, JSON.stringify(body), 'application/json');
          const isRunning = (await prometheus.query('embedmill:texts:rate1m > 0')).length === 1;
          return isRunning && (await prometheus.query(called)).length;
        })
        .toBe(CALLS.length);
      await expect
        .poll(
          async () =>
            (await prometheus.query('sum(embedmill_stage_seconds_count{stage="drain"}) > 0')).length,
        )
        .toBe(1);

      const table: {
        dashboard: string;
        panel: string;
        query: string;
        series: number;
        sample: string | undefined;
      }[] = [];
      for (const { title, panels } of dashboards) {
        for (const panel of panels) {
          for (const { expr } of panel.targets) {
            const result = await prometheus.query(expr);
            table.push({
              dashboard: title,
              panel: panel.title,
              query: expr,
              series: result.filter(({ value }) => Number.isFinite(Number(value[1]))).length,
              sample: result[0]?.value[1],
            });
          }
        }
      }
      expect(table.filter(({ series, query }) => series === 0 && query !== FIRING)).toEqual([]);

      const rules = await prometheus.rules();
      expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
      for (const { name } of rules.filter(({ type }) => type === 'recording'))
        expect((await prometheus.query(name)).length, name).toBeGreaterThan(0);
      expect(rules.filter(({ type }) => type === 'alerting').length).toBe(20);
      await fetch(`${producer.url}/v1/runs/${id}/cancel`, { method: 'POST' });

      const { EMBEDMILL_TEST_PANELS: panelsFile } = process.env;
      if (panelsFile !== undefined) {
        const series = await Promise.all(
          (dashboards.find(({ uid }) => uid === 'embedmill-overview')?.panels ?? []).map(async (panel) => ({
            type: panel.type,
            title: panel.title,
            gridPos: panel.gridPos,
            unit: panel.fieldConfig.defaults.unit,
            queries: await Promise.all(
              panel.targets.map(async ({ expr, legendFormat }) => ({
                legendFormat,
                result: await prometheus.range(expr, 60),
              })),
            ),
          })),
        );
        await writeFile(panelsFile, JSON.stringify({ table, series }));
      }
    },
    90_000,
  );
});
