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

/** Pixels of a column and a row of Grafana's grid. */
const COLUMN = 54;
const ROW = 27;
const PLOT = { left: 52, top: 34, right: 12, bottom: 34 };
/** Width of the names of a state timeline. */
const NAMES = 96;
const COLORS = ['#3274d9', '#56a64b', '#e0b400', '#e02f44', '#8f3bb8', '#ff780a'];
const BAD = '#e02f44';
const escapeXml = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
/** Width of a character of the legends, about. */
const CHARACTER = 6.6;

/** A value with its unit, as Grafana abbreviates it. */
function show(value, unit) {
  if (unit === 'percentunit') return `${(100 * value).toFixed(0)} %`;
  if (unit === 's' && value > 0 && value < 1) return `${(1000 * value).toPrecision(3)} ms`;
  const suffix = unit === 's' ? ' s' : '';
  const steps = unit === 'bytes' ? [' B', ' kB', ' MB', ' GB', ' TB'] : ['', 'K', 'M', 'G', 'T'];
  const step = value < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(value) / 3));
  const scaled = value / 1000 ** step;
  const digits = scaled >= 100 || Number.isInteger(scaled) ? 0 : scaled >= 1 ? 1 : 3;
  return `${scaled.toFixed(digits)}${steps[step]}${suffix}`;
}

/** Replaces `{{label}}` in a Grafana legend by the label of the series. */
const legend = (format, metric) => format.replace(/{{(\w+)}}/g, (_, label) => metric[label] ?? '');

const linesOf = ({ queries }) =>
  queries.flatMap(({ legendFormat, result }) =>
    result.map(({ metric, values }) => ({
      name: legend(legendFormat, metric),
      metric,
      points: values.map(([at, value]) => [at, Number(value)]).filter(([, value]) => Number.isFinite(value)),
    })),
  );

/** Time covered by all panels, so that their axes agree. */
const times = panels.flatMap(linesOf).flatMap(({ points }) => points.map(([at]) => at));
const [start, end] = times.reduce(
  ([min, max], at) => [Math.min(min, at), Math.max(max, at)],
  [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
);
const shareOf = (at) => (at - start) / Math.max(1, end - start);

function drawStat(panel, width, height) {
  const value = linesOf(panel)[0]?.points.at(-1)?.[1];
  const text = value === undefined ? 'no data' : show(value, panel.unit);
  return `<text x="${width / 2}" y="${height / 2 + 22}" font-size="28" text-anchor="middle">${text}</text>`;
}

/** One row per series that exists at the end. */
function drawTable(panel) {
  const rows = linesOf(panel).filter(({ points }) => points.at(-1)?.[0] === end);
  if (rows.length === 0) return '<text x="12" y="54" fill="#666">no alert</text>';
  return rows
    .map(({ metric }, i) => {
      const color = metric.severity === 'critical' ? BAD : '#b35c00';
      const y = 54 + 20 * i;
      return `<text x="12" y="${y}">${escapeXml(metric.alertname ?? '')}</text>
<text x="250" y="${y}" fill="${color}">${escapeXml(metric.severity ?? '')}</text>
<text x="340" y="${y}">${escapeXml(metric.instance ?? '')}</text>`;
    })
    .join('\n');
}

/** One bar per series; the time in which its value is 1 is red. */
function drawTimeline(panel, width, height) {
  const lines = linesOf(panel);
  const step = (height - PLOT.top - 8) / Math.max(1, lines.length);
  return lines
    .map(({ name, points }, i) => {
      const y = PLOT.top + i * step;
      const scale = width - NAMES - PLOT.right;
      const bars = points.map(([at, value], j) => {
        if (value === 0) return '';
        const from = NAMES + shareOf(at) * scale;
        const to = NAMES + shareOf(points[j + 1]?.[0] ?? at) * scale;
        return `<rect x="${from.toFixed(1)}" y="${y}" width="${Math.max(1, to - from + 0.5).toFixed(1)}" height="${step * 0.8}" fill="${BAD}"/>`;
      });
      return `<rect x="${NAMES}" y="${y}" width="${scale}" height="${step * 0.8}" fill="#eef0f1"/>
<text x="${NAMES - 6}" y="${y + step * 0.7}" font-size="11" text-anchor="end">${escapeXml(name)}</text>${bars.join('')}`;
    })
    .join('\n');
}

function drawLines(panel, width, height) {
  const lines = linesOf(panel);
  const max = Math.max(1e-9, ...lines.flatMap(({ points }) => points.map(([, value]) => value)));
  const x = (at) => PLOT.left + shareOf(at) * (width - PLOT.left - PLOT.right);
  const y = (value) => height - PLOT.bottom - (value / max) * (height - PLOT.top - PLOT.bottom);
  const paths = lines.map(({ points }, i) => {
    const path = points.map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
    return `<polyline fill="none" stroke="${COLORS[i % COLORS.length]}" stroke-width="2" points="${path}"/>`;
  });
  let room = (width - 24) / CHARACTER;
  const names = lines.flatMap(({ name, points }, i) => {
    const text = `${name} ${show(points.at(-1)?.[1] ?? Number.NaN, panel.unit)}  `;
    room -= text.length;
    return room < 0 ? [] : `<tspan fill="${COLORS[i % COLORS.length]}">${escapeXml(text)}</tspan>`;
  });
  return `<text x="${PLOT.left - 6}" y="${PLOT.top + 8}" text-anchor="end" fill="#666" font-size="11">${show(max, panel.unit)}</text>
<text x="${PLOT.left - 6}" y="${height - PLOT.bottom}" text-anchor="end" fill="#666" font-size="11">0</text>
<path d="M${PLOT.left} ${PLOT.top}V${height - PLOT.bottom}H${width - PLOT.right}" fill="none" stroke="#999"/>
${paths.join('\n')}
<text x="12" y="${height - 12}" font-size="11" xml:space="preserve">${names.join('')}</text>`;
}

const DRAW = { stat: drawStat, table: drawTable, 'state-timeline': drawTimeline, timeseries: drawLines };

const drawings = panels.map((panel) => {
  const { x, y, w, h } = panel.gridPos;
  const [width, height] = [w * COLUMN, h * ROW];
  return `<g transform="translate(${x * COLUMN},${y * ROW})">
<rect x="4" y="4" width="${width - 8}" height="${height - 8}" fill="#fff" stroke="#ccc"/>
<text x="12" y="24" font-weight="bold">${escapeXml(panel.title)}</text>
${DRAW[panel.type](panel, width, height)}</g>`;
});
const bottom = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h));
const size = [24 * COLUMN, bottom * ROW];
await writeFile(
  svgFile,
  `<svg xmlns="http://www.w3.org/2000/svg" width="${size[0]}" height="${size[1]}" font-family="DejaVu Sans" font-size="12">
<rect width="100%" height="100%" fill="#f4f5f5"/>\n${drawings.join('\n')}\n</svg>\n`,
);
