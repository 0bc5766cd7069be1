/**
 * A uPlot chart as a part of a page: it fits its place, follows the theme, and says in words what it shows.
 */

import 'uplot/dist/uPlot.min.css';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { useTheme } from '../theme.ts';

/** Colours of the stylesheet, for what is drawn on a canvas. */
export interface ChartColors {
  ink: string;
  soft: string;
  line: string;
  accent: string;
  warn: string;
  bad: string;
  fill: string;
}

/** What a chart shows. */
export interface ChartProps {
  /** Stands above the chart. */
  title: string;
  /** What it shows in a sentence, for those who do not see it. */
  summary: string;
  data: uPlot.AlignedData;
  /** Everything but size and title; called again when the theme changes. */
  options: (colors: ChartColors) => Omit<uPlot.Options, 'width' | 'height' | 'title'>;
  heightPx?: number;
  /** Given the drawn chart, for whoever saves it as a picture. */
  onDrawn?: (chart: uPlot) => void;
}

/** Drawn anew when the theme or the kind of data changes; new values only move what is there. */
export function Chart({ title, summary, data, options, heightPx = 220, onDrawn }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const theme = useTheme();
  const series = data.length;
  useEffect(() => {
    const element = place.current!;
    const drawn = new uPlot(
      { ...options(readColors()), width: element.clientWidth || 300, height: heightPx },
      data,
      element,
    );
    chart.current = drawn;
    onDrawn?.(drawn);
    const watcher = new ResizeObserver(() => {
      if (element.clientWidth > 0) drawn.setSize({ width: element.clientWidth, height: heightPx });
    });
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      drawn.destroy();
      chart.current = null;
    };
  }, [theme, series, heightPx]);
  useEffect(() => chart.current?.setData(data), [data]);
  return (
    <figure class="chart">
      <figcaption class="chart-title">{title}</figcaption>
      <div ref={place} class="chart-place" role="img" aria-label={summary} />
    </figure>
  );
}

/** Axes in the colours of the page. */
export function axis(colors: ChartColors, more: uPlot.Axis = {}): uPlot.Axis {
  return {
    stroke: colors.soft,
    font: '12px system-ui, sans-serif',
    grid: { stroke: colors.line, width: 1 },
    ticks: { stroke: colors.line, width: 1, size: 4 },
    ...more,
  };
}

function readColors(): ChartColors {
  const probe = document.createElement('span');
  document.body.append(probe);
  // light-dark() is resolved by the browser only where a colour is used.
  const read = (name: string): string => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const colors = {
    ink: read('ink'),
    soft: read('soft'),
    line: read('line'),
    accent: read('accent'),
    warn: read('warn'),
    bad: read('bad'),
    fill: read('accent-soft'),
  };
  probe.remove();
  return colors;
}
