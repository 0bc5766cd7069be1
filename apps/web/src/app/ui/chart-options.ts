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

/** Draws marks with their labels, on the side where there is room and below each other. */
function drawMarks(chart: uPlot, marks: readonly ChartMark[], colors: ChartColors): void {
  const { ctx, bbox } = chart;
  const scale = devicePixelRatio;
  ctx.save();
  ctx.font = `${MARK_FONT_PX * scale}px system-ui, sans-serif`;
  ctx.textBaseline = 'middle';
  ctx.strokeStyle = colors.ink;
  ctx.lineWidth = scale;
  for (const [i, { label, at }] of marks.entries()) {
    const x = chart.valToPos(at[0], 'x', true);
    let y = bbox.top + (i + 1) * MARK_FONT_PX * 1.4 * scale;
    ctx.fillStyle = colors.ink;
    ctx.beginPath();
    if (at[1] === null) {
      ctx.setLineDash([4 * scale, 3 * scale]);
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    } else {
      y = chart.valToPos(at[1], 'y', true);
      ctx.arc(x, y, MARK_RADIUS_PX * scale, 0, 2 * Math.PI);
      ctx.fill();
      // Below the curve.
      y += (i + 1) * MARK_FONT_PX * 1.4 * scale;
    }
    const isRight = x < bbox.left + bbox.width / 2;
    ctx.textAlign = isRight ? 'left' : 'right';
    ctx.fillText(label, x + (isRight ? 6 : -6) * scale, y);
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
