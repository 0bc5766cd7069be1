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
    scales: { y: { range: (_chart, _least, most) => [0, Math.max(1, most * 1.1)] } },
    series: [{}, { stroke: colors.accent, fill: colors.fill, width: 2, points: { show: false } }],
  };
}

/** A histogram: one column for each x, which is where its bucket begins. */
export function columnOptions({ x, y }: { x: string; y: string }): (colors: ChartColors) => Options {
  return (colors) => ({
    legend: { show: false },
    cursor: { y: false },
    scales: {
      x: { time: false },
      y: { range: (_chart, _least, most) => [0, Math.max(1, most * 1.1)] },
    },
    axes: [
      axis(colors, { label: x, labelFont: '12px system-ui, sans-serif', labelSize: 20 }),
      axis(colors, {
        label: y,
        labelFont: '12px system-ui, sans-serif',
        labelSize: 20,
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

/** To the right of x, because a bucket begins there. */
function columns(): { paths?: uPlot.Series.PathBuilder } {
  const paths = uPlot.paths.bars?.({ size: [0.9, 60], align: 1 });
  return paths === undefined ? {} : { paths };
}
