/** The kinds of charts that pages draw, as options of uPlot. */

import uPlot from 'uplot';
import { axis, type ChartColors } from './chart.tsx';
import { count, rate } from './format.ts';

type Options = Omit<uPlot.Options, 'width' | 'height' | 'title'>;

/** Values over time as a filled line; x in seconds since 1970. */
export function paceOptions(colors: ChartColors): Options {
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

/** A histogram: one column for each x, which is where its bucket begins. */
export function columnOptions({ x, y }: { x: string; y: string }): (colors: ChartColors) => Options {
  return (colors) => ({
    legend: { show: false },
    cursor: { y: false },
    scales: {
      x: { time: false, range: withLastColumn },
      y: { range: (_chart, _min, max) => [0, Math.max(1, max * 1.1)] },
    },
    axes: [
      named(colors, x),
      axis(colors, {
        ...named(colors, y),
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

/** Precision (y) over recall (x), both 0 to 1. */
export function curveOptions(colors: ChartColors): Options {
  return {
    legend: { show: false },
    cursor: { y: false },
    scales: { x: { time: false, range: [0, 1] }, y: { range: [0, 1.02] } },
    axes: [named(colors, 'recall'), { ...named(colors, 'precision'), size: 48 }],
    series: [{}, { stroke: colors.accent, fill: colors.fill, width: 2, points: { show: false } }],
  };
}

/** Two histograms over the same cosines: what is the same in front, what is different behind. */
export function twoColumnOptions(colors: ChartColors): Options {
  return {
    cursor: { y: false },
    legend: { show: true, live: false },
    scales: {
      x: { time: false, range: withLastColumn },
      y: { range: (_chart, _min, max) => [0, Math.max(1, max * 1.1)] },
    },
    axes: [named(colors, 'cosine'), { ...named(colors, 'pairs'), size: 48 }],
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
  };
}

/** An axis with its name. */
function named(colors: ChartColors, label: string): uPlot.Axis {
  return axis(colors, { label, labelFont: '12px system-ui, sans-serif', labelSize: 20 });
}

/** A column begins at its x, so the last one needs room behind it. */
function withLastColumn({ data: [x] }: uPlot, min: number, max: number): uPlot.Range.MinMax {
  return [min, max + ((x[1] ?? 1) - (x[0] ?? 0))];
}

/** To the right of x, because a bucket begins there. */
function columns(): { paths?: uPlot.Series.PathBuilder } {
  const paths = uPlot.paths.bars?.({ size: [0.9, 60], align: 1 });
  return paths === undefined ? {} : { paths };
}
