/** Draws what lies over the points of a map: labels, rings around rows, and the lasso. */

import {
  type MapFrame,
  type MapLabel,
  type MapView,
  type PlacedLabel,
  placeLabels,
  type ScreenPoint,
  toScreen,
} from '@embedmill/analysis/map';
import { fitCanvas } from './point-renderer.ts';

/** What is drawn. */
export interface Overlay {
  readonly points: Float32Array;
  readonly labels: readonly MapLabel[];
  /** Rows with a ring. */
  readonly rings: readonly number[];
  readonly lasso: readonly ScreenPoint[];
}

/** CSS colours of the theme. */
export interface OverlayColors {
  readonly ink: string;
  readonly background: string;
  readonly accent: string;
}

/** Maximum rings; more would hide the points. */
const MAX_RINGS = 1000;

const RING_RADIUS_PX = 6.5;

/** Fonts by level. */
const FONTS = [
  '700 15px system-ui, -apple-system, "Segoe UI", sans-serif',
  '600 12.5px system-ui, -apple-system, "Segoe UI", sans-serif',
] as const;

/** Widths of texts, which do not change: measuring takes most of the time of a label. */
const widths = new Map<string, number>();

/** Draws the overlay and returns the labels on it. */
export function drawOverlay(
  canvas: HTMLCanvasElement,
  { points, labels, rings, lasso }: Overlay,
  colors: OverlayColors,
  frame: MapFrame,
  view: MapView,
  corner: { width: number; height: number },
): PlacedLabel[] {
  fitCanvas(canvas, frame, devicePixelRatio);
  const context = canvas.getContext('2d')!;
  context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  context.clearRect(0, 0, frame.width, frame.height);
  drawRings(context, points, rings, colors, frame, view);
  const placed = placeLabels(labels, frame, view, (text, level) => measure(context, text, level), corner);
  drawLabels(context, placed, colors);
  drawLasso(context, lasso, colors);
  return placed;
}

function drawRings(
  context: CanvasRenderingContext2D,
  points: Float32Array,
  rows: readonly number[],
  { ink, background }: OverlayColors,
  frame: MapFrame,
  view: MapView,
): void {
  for (const [width, color] of [
    [5, background],
    [2.2, ink],
  ] as const) {
    context.lineWidth = width;
    context.strokeStyle = color;
    context.beginPath();
    for (const row of rows.slice(0, MAX_RINGS)) {
      if (Number.isNaN(points[2 * row])) continue;
      const { x, y } = toScreen(frame, view, points[2 * row]!, points[2 * row + 1]!);
      context.moveTo(x + RING_RADIUS_PX, y);
      context.arc(x, y, RING_RADIUS_PX, 0, 2 * Math.PI);
    }
    context.stroke();
  }
}

function drawLabels(
  context: CanvasRenderingContext2D,
  placed: readonly PlacedLabel[],
  { ink, background }: OverlayColors,
): void {
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.lineJoin = 'round';
  // A halo, so that a label can be read over points of any colour.
  context.strokeStyle = background;
  context.fillStyle = ink;
  for (const { label, text, x, y } of placed) {
    context.font = FONTS[label.level];
    context.lineWidth = label.level === 0 ? 5 : 4;
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  }
}

function drawLasso(
  context: CanvasRenderingContext2D,
  path: readonly ScreenPoint[],
  { accent }: OverlayColors,
): void {
  if (path.length < 2) return;
  context.beginPath();
  for (const { x, y } of path) context.lineTo(x, y);
  context.closePath();
  context.globalAlpha = 0.12;
  context.fillStyle = accent;
  context.fill();
  context.globalAlpha = 1;
  context.lineWidth = 2;
  context.strokeStyle = accent;
  context.setLineDash([6, 4]);
  context.stroke();
  context.setLineDash([]);
}

function measure(context: CanvasRenderingContext2D, text: string, level: 0 | 1): number {
  const key = `${level} ${text}`;
  let width = widths.get(key);
  if (width === undefined) {
    context.font = FONTS[level];
    width = context.measureText(text).width;
    widths.set(key, width);
  }
  return width;
}
