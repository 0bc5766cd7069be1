/** Draws the samples of a soak as an SVG with one panel per series. */

import { type Sample, SERIES, type Series } from './samples.ts';

const PANEL = { width: 240, height: 130, left: 46, right: 10, top: 24, bottom: 22 };
const COLUMNS = 3;
const MAX_POINTS = 200;

/** Series that are drawn; the table has all of them. */
const DRAWN = SERIES.filter(({ field }) => field !== 'redisMb' && field !== 'readyEntries');

/** The content of the SVG file. */
export function drawCurve(samples: readonly Sample[]): string {
  const [width, height] = [COLUMNS * PANEL.width, Math.ceil(DRAWN.length / COLUMNS) * PANEL.height];
  const panels = DRAWN.map((series, i) => {
    const [x, y] = [(i % COLUMNS) * PANEL.width, Math.floor(i / COLUMNS) * PANEL.height];
    return `<g transform="translate(${x} ${y})">${drawPanel(samples, series)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="10" fill="#444">`,
    `<title>${samples.at(-1)?.rowsDone ?? 0} rows: memory and keys over time</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...panels,
    '</svg>\n',
  ].join('\n');
}

function drawPanel(samples: readonly Sample[], { field, title }: Series): string {
  const { width, height, left, right, top, bottom } = PANEL;
  const max = niceCeiling(Math.max(...samples.map((sample) => sample[field])));
  const seconds = Math.max(1, samples.at(-1)?.seconds ?? 1);
  const step = Math.max(1, Math.ceil(samples.length / MAX_POINTS));
  const points = samples
    .filter((_, i) => i % step === 0)
    .map((sample) => {
      const x = left + (sample.seconds / seconds) * (width - left - right);
      const y = height - bottom - (sample[field] / max) * (height - top - bottom);
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    });
  const base = height - bottom;
  return [
    `<text x="${left}" y="14" font-weight="600">${title}</text>`,
    `<path d="M${left} ${top}V${base}H${width - right}" fill="none" stroke="#bbb"/>`,
    `<text x="${left - 5}" y="${top + 4}" text-anchor="end">${max}</text>`,
    `<text x="${left - 5}" y="${base}" text-anchor="end">0</text>`,
    `<text x="${width - right}" y="${height - 8}" text-anchor="end">${(seconds / 60).toFixed(1)} min</text>`,
    `<polyline points="${points.join(' ')}" fill="none" stroke="#1f6fb2" stroke-width="1.5"/>`,
  ].join('');
}

/** Rounds up to 1, 2, 5, 10, 20, 50 … */
function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((nice) => nice >= value) ?? 10 * power;
}
