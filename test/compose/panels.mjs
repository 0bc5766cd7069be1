/** Stores the data of the overview dashboard, queried from Prometheus, in a file for render-overview.mjs. */

import { readFile, writeFile } from 'node:fs/promises';

const OVERVIEW = new URL('../../infra/grafana/dashboards/overview.json', import.meta.url);

/** Points per line, about one per pixel of a panel. */
const POINTS = 300;

/** Queries the last `seconds` and writes `{ series: [{ type, title, gridPos, unit, queries }] }` to `path`. */
export async function recordPanels(prometheus, seconds, path) {
  const { panels } = JSON.parse(await readFile(OVERVIEW, 'utf8'));
  const end = Date.now() / 1000;
  const step = Math.max(1, Math.ceil(seconds / POINTS));
  const query = async (expression) => {
    const parameters = `query=${encodeURIComponent(expression)}&start=${end - seconds}&end=${end}&step=${step}`;
    const response = await fetch(`${prometheus}/api/v1/query_range?${parameters}`);
    const { status, error, data } = await response.json();
    if (status !== 'success') throw new Error(`${expression}: ${error}`);
    return data.result;
  };
  const series = [];
  for (const { type, title, gridPos, fieldConfig, targets } of panels) {
    const queries = [];
    for (const { expr, legendFormat } of targets) queries.push({ legendFormat, result: await query(expr) });
    series.push({ type, title, gridPos, unit: fieldConfig.defaults.unit, queries });
  }
  await writeFile(path, JSON.stringify({ series }));
}
