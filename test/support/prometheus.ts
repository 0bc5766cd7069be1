/**
 * Prometheus (Debian's package `prometheus`) with our rules, scraping the given targets every second, and Alertmanager
 * (`prometheus-alertmanager`) with our configuration.
 */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { temporaryFolder } from './folder.ts';
import { freePort } from './redis-process.ts';

/** One series of a query result. */
export interface Sample {
  metric: Record<string, string>;
  value: [number, string];
}

/** A running Prometheus; it stops with the test. */
export interface TestPrometheus {
  /** An instant query. Rejects with Prometheus's message when the query is invalid. */
  query(expression: string): Promise<Sample[]>;
  /** A range query over the last `seconds`, one point per second. */
  range(
    expression: string,
    seconds: number,
  ): Promise<{ metric: Record<string, string>; values: [number, string][] }[]>;
  /** Every rule with its state. */
  rules(): Promise<{ name: string; type: string; health: string; lastError?: string }[]>;
}

/** True when Prometheus is installed. */
export const hasPrometheus = spawnSync('prometheus', ['--version']).status === 0;

/** Program of Alertmanager: its own name, or that of Debian; undefined when it is not installed. */
const ALERTMANAGER = ['alertmanager', 'prometheus-alertmanager'].find(
  (name) => spawnSync(name, ['--version']).status === 0,
);

/** True when Alertmanager is installed. */
export const hasAlertmanager = ALERTMANAGER !== undefined;

const infra = (path: string) => fileURLToPath(new URL(`../../infra/${path}`, import.meta.url));

const RULES = infra('prometheus/rules.yml');

/** Starts a program, calls it until it answers at `path`, and stops it with the test. */
async function startServer(program: string, args: readonly string[], url: string): Promise<void> {
  const child = spawn(program, args, { stdio: 'ignore' });
  onTestFinished(async () => {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  });
  const isUp = () =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
  for (let attempt = 0; !(await isUp()); attempt += 1) {
    if (attempt > 100) throw new Error(`${program} did not start in 20 s`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/**
 * Starts Alertmanager with infra/alertmanager, whose producer is the one at `producerUrl`.
 * @returns its address, for {@link startPrometheus}
 */
export async function startAlertmanager(producerUrl: string): Promise<string> {
  const folder = temporaryFolder();
  const config = await readFile(infra('alertmanager/alertmanager.yml'), 'utf8');
  const file = join(folder, 'alertmanager.yml');
  await writeFile(file, config.replace('http://producer:8080', producerUrl));
  const address = `127.0.0.1:${await freePort()}`;
  const args = [
    `--config.file=${file}`,
    `--storage.path=${folder}`,
    `--web.listen-address=${address}`,
    '--cluster.listen-address=',
  ];
  await startServer(ALERTMANAGER!, args, `http://${address}/-/ready`);
  return address;
}

/**
 * Starts Prometheus; `jobs` maps job names to target URLs.
 * @param alertmanager address that takes the place of that in infra/prometheus
 */
export async function startPrometheus(
  jobs: Record<string, readonly string[]>,
  alertmanager?: string,
): Promise<TestPrometheus> {
  const folder = temporaryFolder();
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [RULES],
    ...(alertmanager === undefined ? {} : { alerting: await alertingFor(alertmanager) }),
    scrape_configs: Object.entries(jobs).map(([job_name, urls]) => ({
      job_name,
      static_configs: [{ targets: urls.map((url) => new URL(url).host) }],
    })),
  };
  // JSON is valid YAML.
  await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config));
  const port = await freePort();
  const args = [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'tsdb')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  await startServer('prometheus', args, `http://127.0.0.1:${port}/-/ready`);
  const ask = async <Data>(path: string): Promise<Data> => {
    const answer = (await (await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)).json()) as {
      status: string;
      error?: string;
      data: Data;
    };
    if (answer.status !== 'success') throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  };
  return {
    query: async (expression) =>
      (await ask<{ result: Sample[] }>(`query?query=${encodeURIComponent(expression)}`)).result,
    range: async (expression, seconds) => {
      const end = Date.now() / 1000;
      const path = `query_range?query=${encodeURIComponent(expression)}&start=${end - seconds}&end=${end}&step=1`;
      return (await ask<{ result: { metric: Record<string, string>; values: [number, string][] }[] }>(path))
        .result;
    },
    rules: async () => {
      const { groups } = await ask<{ groups: { rules: Awaited<ReturnType<TestPrometheus['rules']>> }[] }>(
        'rules',
      );
      return groups.flatMap(({ rules }) => rules);
    },
  };
}

/** The section `alerting` of infra/prometheus, with another Alertmanager. */
async function alertingFor(address: string): Promise<unknown> {
  const { alerting } = parse(await readFile(infra('prometheus/prometheus.yml'), 'utf8'));
  return JSON.parse(JSON.stringify(alerting).replace('alertmanager:9093', address));
}
