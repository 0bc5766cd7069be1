/**
 * Asks a Prometheus for everything that the Overview shows of the last while, and keeps it in a file for
 * render-overview.mjs.
 */

import { readFile, writeFile } from 'node:fs/promises';

const OVERVIEW = new URL('../../infra/grafana/dashboards/overview.json', import.meta.url);

/** Points of each line: as many as a panel has pixels for. */
const POINTS = 300;

/** Asks for the last `seconds` and writes `{ series: panels with the answer to each query }` to `path`. */
export async function recordPanels(prometheus, seconds, path) {
  const { panels } = JSON.parse(await readFile(OVERVIEW, 'utf8'));
  const end = Date.now() / 1000;
  const step = Math.max(1, Math.ceil(seconds / POINTS));
  const ask = async (expression) => {
    const query = `query=${encodeURIComponent(expression)}&start=${end - seconds}&end=${end}&step=${step}`;
    const response = await fetch(`${prometheus}/api/v1/query_range?${query}`);
    const { status, error, data } = await response.json();
    if (status !== 'success') throw new Error(`${expression}: ${error}`);
    return data.result;
  };
  const series = [];
  for (const { title, fieldConfig, targets } of panels) {
    const queries = [];
    for (const { expr, legendFormat } of targets) queries.push({ legendFormat, result: await ask(expr) });
    series.push({ title, unit: fieldConfig.defaults.unit, queries });
  }
  await writeFile(path, JSON.stringify({ series }));
}
