/**
 * Draws the panels of the overview dashboard without Grafana: `node test/compose/render-overview.mjs
 * panels.json overview.svg`, then `rsvg-convert overview.svg -o overview.png`. `main.mjs` records such a file
 * over its whole run, `metrics-dashboards.test.ts` over one minute.
 */

import { readFile, writeFile } from 'node:fs/promises';

const [panelsFile, svgFile] = process.argv.slice(2);
if (svgFile === undefined)
  throw new Error('usage: node test/compose/render-overview.mjs PANELS.json OVERVIEW.svg');
const { series: panels } = JSON.parse(await readFile(panelsFile, 'utf8'));

const COLUMNS = 3;
const WIDTH = 420;
const HEIGHT = 210;
const PLOT = { left: 52, top: 34, right: 12, bottom: 34 };
const COLORS = ['#3274d9', '#56a64b', '#e0b400', '#e02f44', '#8f3bb8', '#ff780a'];
const escapeXml = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
const show = (value) => (value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(3));

/** Replaces `{{label}}` in a Grafana legend by the label of the series. */
const legend = (format, metric) => format.replace(/{{(\w+)}}/g, (_, label) => metric[label] ?? '');

const drawings = panels.map((panel, place) => {
  const lines = panel.queries.flatMap(({ legendFormat, result }) =>
    result.map(({ metric, values }) => ({
      name: legend(legendFormat, metric),
      points: values.map(([at, value]) => [at, Number(value)]).filter(([, value]) => Number.isFinite(value)),
    })),
  );
  const points = lines.flatMap((line) => line.points);
  const max = Math.max(1e-9, ...points.map(([, value]) => value));
  const start = Math.min(...points.map(([at]) => at));
  const end = Math.max(start + 1, ...points.map(([at]) => at));
  const x = (at) => PLOT.left + ((at - start) / (end - start)) * (WIDTH - PLOT.left - PLOT.right);
  const y = (value) => HEIGHT - PLOT.bottom - (value / max) * (HEIGHT - PLOT.top - PLOT.bottom);
  const paths = lines.map(({ points: own }, i) => {
    const path = own.map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
    return `<polyline fill="none" stroke="${COLORS[i % COLORS.length]}" stroke-width="2" points="${path}"/>`;
  });
  const names = lines.slice(0, 6).map(({ name, points: own }, i) => {
    const last = own.at(-1)?.[1] ?? Number.NaN;
    return `<tspan fill="${COLORS[i % COLORS.length]}">${escapeXml(name)} ${show(last)}  </tspan>`;
  });
  const left = (place % COLUMNS) * WIDTH;
  const top = Math.floor(place / COLUMNS) * HEIGHT;
  return `<g transform="translate(${left},${top})">
<rect x="4" y="4" width="${WIDTH - 8}" height="${HEIGHT - 8}" fill="#fff" stroke="#ccc"/>
<text x="12" y="24" font-weight="bold">${escapeXml(panel.title)} (${panel.unit})</text>
<text x="${PLOT.left - 6}" y="${PLOT.top + 8}" text-anchor="end" fill="#666">${show(max)}</text>
<text x="${PLOT.left - 6}" y="${HEIGHT - PLOT.bottom}" text-anchor="end" fill="#666">0</text>
<path d="M${PLOT.left} ${PLOT.top}V${HEIGHT - PLOT.bottom}H${WIDTH - PLOT.right}" fill="none" stroke="#999"/>
${paths.join('\n')}
<text x="12" y="${HEIGHT - 12}" font-size="11" xml:space="preserve">${names.join('')}</text></g>`;
});
const size = [COLUMNS * WIDTH, Math.ceil(panels.length / COLUMNS) * HEIGHT];
await writeFile(
  svgFile,
  `<svg xmlns="http://www.w3.org/2000/svg" width="${size[0]}" height="${size[1]}" font-family="DejaVu Sans" font-size="12">
<rect width="100%" height="100%" fill="#f4f5f5"/>\n${drawings.join('\n')}\n</svg>\n`,
);
