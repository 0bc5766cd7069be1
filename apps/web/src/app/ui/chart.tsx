/**
 * A uPlot chart that fits its container, follows the theme and has a text alternative.
 * Decision: docs/decisions/0080.
 */

import 'uplot/dist/uPlot.min.css';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { useTheme } from '../theme.ts';

/** Colours of the stylesheet as CSS values, for drawing on a canvas. */
export interface ChartColors {
  ink: string;
  soft: string;
  line: string;
  accent: string;
  warn: string;
  bad: string;
  fill: string;
  card: string;
}

/** Properties of a chart. */
export interface ChartProps {
  /** Caption above the chart. */
  title: string;
  /** Text alternative: one sentence with the content of the chart. */
  summary: string;
  data: uPlot.AlignedData;
  /** Returns the uPlot options except size and title; called again when the theme changes. */
  options: (colors: ChartColors) => Omit<uPlot.Options, 'width' | 'height' | 'title'>;
  heightPx?: number;
  /** Called with every new uPlot instance, for example to save it as an image. */
  onDrawn?: (chart: uPlot) => void;
}

/** Creates the chart again when the theme or the number of series changes; new values only update it. */
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

/** Returns an axis in the colours of the page; `more` overrides its defaults. */
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
  // The browser resolves light-dark() only where a property uses the colour.
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
    card: read('card'),
  };
  probe.remove();
  return colors;
}
