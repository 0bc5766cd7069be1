/**
 * Draws a calibration: the precision-recall curve and the score histogram of both labels, with the thresholds
 * in both. Loaded on use, because only `embedmill calibrate --plot` needs a drawing library.
 *
 * Decision: docs/decisions/0101.
 */

import type { Calibration, CurvePoint } from '@embedmill/analysis';
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

const PANEL_WIDTH = 480;
const PANEL_HEIGHT = 420;
const TITLE_HEIGHT = 44;

/** Colours that colour-blind readers can distinguish (Okabe & Ito 2008). */
const COLORS = { same: '#0072b2', different: '#e69f00', curve: '#333333' } as const;

/** One of the two charts: an SVG element. */
type Panel = ReturnType<typeof Plot.plot>;

/** A threshold in the charts. */
interface Mark extends CurvePoint {
  name: string;
  color: string;
}

/** Returns an SVG document. */
export function drawCalibration(calibration: Calibration, title: string): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const marks = marksOf(calibration);
  const shared = {
    document: document as unknown as Plot.PlotOptions['document'],
    width: PANEL_WIDTH,
    height: PANEL_HEIGHT,
    marginLeft: 52,
    marginBottom: 44,
    marginRight: 24,
    style: { fontFamily: 'DejaVu Sans, Helvetica, Arial, sans-serif', fontSize: '12px', background: 'white' },
  };
  const panels = [curvePanel(calibration, marks, shared), scorePanel(calibration, marks, shared)];
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const size = { width: PANEL_WIDTH * panels.length, height: PANEL_HEIGHT + TITLE_HEIGHT };
  for (const [name, value] of Object.entries({
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${size.width} ${size.height}`,
    ...size,
  })) {
    svg.setAttribute(name, String(value));
  }
  svg.innerHTML = `<rect width="100%" height="100%" fill="white"/>`;
  const heading = document.createElementNS('http://www.w3.org/2000/svg', 'text');
  for (const [name, value] of Object.entries({
    x: 20,
    y: 28,
    'font-family': shared.style.fontFamily,
    'font-size': 15,
  })) {
    heading.setAttribute(name, String(value));
  }
  heading.textContent = title;
  svg.append(heading);
  for (const [n, panel] of panels.entries()) {
    panel.setAttribute('x', String(n * PANEL_WIDTH));
    panel.setAttribute('y', String(TITLE_HEIGHT));
    svg.append(panel as unknown as typeof heading);
  }
  return svg.toString();
}

function marksOf({ bestF1, atRecall, atPrecision }: Calibration): Mark[] {
  return [
    { ...bestF1, name: 'best F1', color: '#009e73' },
    { ...atRecall.choice, name: `recall ≥ ${atRecall.wanted}`, color: '#cc79a7' },
    ...(atPrecision.choice === null
      ? []
      : [{ ...atPrecision.choice, name: `precision ≥ ${atPrecision.wanted}`, color: '#d55e00' }]),
  ];
}

function curvePanel({ curve }: Calibration, marks: readonly Mark[], shared: Plot.PlotOptions): Panel {
  return Plot.plot({
    ...shared,
    x: { domain: [0, 1], label: 'recall', grid: true },
    y: { domain: [0, 1], label: 'precision', grid: true },
    marks: [
      Plot.ruleY([0]),
      Plot.ruleX([0]),
      Plot.lineY(curve, { x: 'recall', y: 'precision', stroke: COLORS.curve, strokeWidth: 1.5 }),
      Plot.dot(marks, { x: 'recall', y: 'precision', r: 5, fill: 'color', stroke: 'white' }),
      Plot.text(marks, {
        // At the lower left, one label per line, so that labels of close points do not overlap.
        x: 0.04,
        y: (_: Mark, n: number) => 0.24 - n * 0.07,
        text: ({ name, threshold, precision, recall }: Mark) =>
          `${name}: from ${threshold.toFixed(3)} (P ${precision.toFixed(2)}, R ${recall.toFixed(2)})`,
        fill: 'color',
        textAnchor: 'start',
      }),
    ],
  });
}

function scorePanel({ histogram }: Calibration, marks: readonly Mark[], shared: Plot.PlotOptions): Panel {
  const bars = histogram.flatMap(({ from, to, same, different }) => [
    { from, to, pairs: different, kind: 'different' as const },
    { from, to, pairs: same, kind: 'same' as const },
  ]);
  return Plot.plot({
    ...shared,
    x: { label: 'score', grid: true },
    y: { label: 'pairs', grid: true },
    marks: [
      Plot.rectY(bars, {
        x1: 'from',
        x2: 'to',
        y: 'pairs',
        fill: ({ kind }: { kind: 'same' | 'different' }) => COLORS[kind],
        fillOpacity: 0.75,
      }),
      Plot.ruleY([0]),
      Plot.ruleX(marks, { x: 'threshold', stroke: 'color', strokeWidth: 2 }),
      ...(['same', 'different'] as const).map((kind, n) =>
        Plot.text([`■ ${kind}`], {
          frameAnchor: 'top-left',
          dx: 8,
          dy: 8 + n * 18,
          fill: COLORS[kind],
          stroke: 'white',
          strokeWidth: 4,
        }),
      ),
    ],
  });
}
