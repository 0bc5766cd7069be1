/** uPlot options for the charts of the pages. */

import uPlot from 'uplot';
import { axis, type ChartColors } from './chart.tsx';
import { count, rate } from './format.ts';

type Options = Omit<uPlot.Options, 'width' | 'height' | 'title'>;

/** A line over time, filled below; x is in seconds since 1970. */
export function throughputOptions(colors: ChartColors): Options {
  return {
    legend: { show: false },
    cursor: { y: false },
    axes: [
      axis(colors, { space: 80 }),
      axis(colors, { size: 56, values: (_, ticks) => ticks.map((tick) => rate(tick)) }),
    ],
    scales: { y: { range: (_chart, _min, max) => [0, Math.max(1, max * 1.1)] } },
    series: [{}, { stroke: colors.accent, fill: colors.fill, width: 2, points: { show: false } }],
  };
}

/** A histogram with the given axis labels; each x value is the lower bound of a bucket. */
export function histogramOptions({ x, y }: { x: string; y: string }): (colors: ChartColors) => Options {
  return (colors) => ({
    legend: { show: false },
    cursor: { y: false },
    scales: {
      x: { time: false, range: withLastColumn },
      y: { range: (_chart, _min, max) => [0, Math.max(1, max * 1.1)] },
    },
    axes: [
      labelledAxis(colors, x),
      axis(colors, {
        ...labelledAxis(colors, y),
        size: 56,
        values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? count(tick) : '')),
      }),
    ],
    series: [
      {},
      {
        stroke: colors.accent,
        fill: colors.accent,
        width: 0,
        points: { show: false },
        ...columns(),
      },
    ],
  });
}

/** A named point of a chart, or with y `null` a vertical line. */
export interface ChartMark {
  label: string;
  at: readonly [x: number, y: number | null];
}

/** Precision (y) by recall (x), both 0 to 1. */
export function precisionRecallOptions(marks: readonly ChartMark[]): (colors: ChartColors) => Options {
  return (colors) => ({
    hooks: { draw: [(chart) => drawMarks(chart, marks, colors)] },
    legend: { show: false },
    cursor: { y: false },
    scales: { x: { time: false, range: [0, 1] }, y: { range: [0, 1.02] } },
    axes: [labelledAxis(colors, 'recall'), { ...labelledAxis(colors, 'precision'), size: 48 }],
    series: [{}, { stroke: colors.accent, fill: colors.fill, width: 2, points: { show: false } }],
  });
}

const MARK_RADIUS_PX = 4;
const MARK_FONT_PX = 12;
const MARK_LINE_PX = 16;

/** Draws marks, then their labels: beside each mark, on the side with more room, lower where another label is. */
function drawMarks(chart: uPlot, marks: readonly ChartMark[], colors: ChartColors): void {
  const { ctx, bbox } = chart;
  const px = devicePixelRatio;
  ctx.save();
  ctx.font = `${MARK_FONT_PX * px}px system-ui, sans-serif`;
  ctx.textBaseline = 'middle';
  ctx.fillStyle = colors.ink;
  ctx.strokeStyle = colors.ink;
  ctx.lineWidth = px;
  const xs = marks.map(({ at }) => chart.valToPos(at[0], 'x', true));
  for (const [i, { at }] of marks.entries()) {
    ctx.beginPath();
    if (at[1] === null) {
      ctx.setLineDash([4 * px, 3 * px]);
      ctx.moveTo(xs[i]!, bbox.top);
      ctx.lineTo(xs[i]!, bbox.top + bbox.height);
      ctx.stroke();
    } else {
      ctx.arc(xs[i]!, chart.valToPos(at[1], 'y', true), MARK_RADIUS_PX * px, 0, 2 * Math.PI);
      ctx.fill();
    }
  }
  ctx.setLineDash([]);
  const placed: { left: number; right: number; y: number }[] = [];
  for (const [i, { label, at }] of marks.entries()) {
    const x = xs[i]!;
    const isRight = x < bbox.left + bbox.width / 2;
    const width = ctx.measureText(label).width + 6 * px;
    const [left, right] = isRight ? [x, x + width] : [x - width, x];
    let y = (at[1] === null ? bbox.top : chart.valToPos(at[1], 'y', true) + MARK_LINE_PX * px) + 8 * px;
    while (
      placed.some(
        (other) => Math.abs(other.y - y) < MARK_LINE_PX * px && other.left < right && left < other.right,
      )
    )
      y += px;
    placed.push({ left, right, y });
    ctx.textAlign = isRight ? 'left' : 'right';
    const textX = x + (isRight ? 6 : -6) * px;
    // An outline in the colour of the card, so that bars and lines do not cross the letters.
    ctx.strokeStyle = colors.card;
    ctx.lineWidth = 4 * px;
    ctx.lineJoin = 'round';
    ctx.strokeText(label, textX, y);
    ctx.fillText(label, textX, y);
  }
  ctx.restore();
}

/** Two histograms over the same cosine buckets: pairs labelled same and pairs labelled different. */
export function twoHistogramOptions(marks: readonly ChartMark[]): (colors: ChartColors) => Options {
  return (colors) => ({
    hooks: { draw: [(chart) => drawMarks(chart, marks, colors)] },
    cursor: { y: false },
    legend: { show: true, live: false },
    scales: {
      x: { time: false, range: withLastColumn },
      y: { range: (_chart, _min, max) => [0, Math.max(1, max * 1.1)] },
    },
    axes: [labelledAxis(colors, 'cosine'), { ...labelledAxis(colors, 'pairs'), size: 48 }],
    series: [
      { label: 'Pairs' },
      {
        label: 'same',
        stroke: colors.accent,
        fill: colors.fill,
        width: 2,
        points: { show: false },
        ...columns(),
      },
      {
        label: 'different',
        stroke: colors.bad,
        width: 2,
        dash: [4, 3],
        points: { show: false },
        ...columns(),
      },
    ],
  });
}

/** An axis with a label. */
function labelledAxis(colors: ChartColors, label: string): uPlot.Axis {
  return axis(colors, { label, labelFont: '12px system-ui, sans-serif', labelSize: 20 });
}

/** Extends the x range by one bucket, because each column begins at its x value. */
function withLastColumn({ data: [x] }: uPlot, min: number, max: number): uPlot.Range.MinMax {
  return [min, max + ((x[1] ?? 1) - (x[0] ?? 0))];
}

/** Draws columns to the right of x, the lower bound of the bucket. */
function columns(): { paths?: uPlot.Series.PathBuilder } {
  const paths = uPlot.paths.bars?.({ size: [0.9, 60], align: 1 });
  return paths === undefined ? {} : { paths };
}
