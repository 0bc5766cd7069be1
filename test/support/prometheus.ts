/** Prometheus (Debian's package `prometheus`) with our rules, scraping the given targets every second. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
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

const RULES = fileURLToPath(new URL('../../infra/prometheus/rules.yml', import.meta.url));

/** Starts Prometheus; `jobs` maps job names to target URLs. */
export async function startPrometheus(jobs: Record<string, readonly string[]>): Promise<TestPrometheus> {
  const folder = temporaryFolder();
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [RULES],
    scrape_configs: Object.entries(jobs).map(([job_name, urls]) => ({
      job_name,
      static_configs: [{ targets: urls.map((url) => new URL(url).host) }],
    })),
  };
  // JSON is valid YAML.
  await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config));
  const port = await freePort();
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'tsdb')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
  onTestFinished(async () => {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  });
  const ask = async <Data>(path: string): Promise<Data> => {
    const answer = (await (await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)).json()) as {
      status: string;
      error?: string;
      data: Data;
    };
    if (answer.status !== 'success') throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  };
  for (let attempt = 0; ; attempt += 1) {
    if (
      await ask('status/buildinfo').then(
        () => true,
        () => false,
      )
    )
      break;
    if (attempt > 100) throw new Error('prometheus did not start in 20 s');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
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
