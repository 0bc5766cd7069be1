/** The visible part of a map: conversions between places and pixels, zooming and panning. */

/** What is in the middle of the canvas, and how large. */
export interface MapView {
  x: number;
  y: number;
  /** 1 shows the whole map. */
  scale: number;
}

/** A canvas and the box of all points on it, in CSS pixels and in units of the map. */
export interface MapFrame {
  readonly width: number;
  readonly height: number;
  readonly center: { readonly x: number; readonly y: number };
  readonly spanX: number;
  readonly spanY: number;
}

/** A position on the canvas, in CSS pixels. */
export interface ScreenPoint {
  x: number;
  y: number;
}

/** Space around the points at scale 1. */
const MARGIN_PX = 28;

/** Limits of the scale. */
export const SCALES = { min: 0.8, max: 400 } as const;

/** The box of the points; those at NaN do not count. */
export function frameOf(points: Float32Array, width: number, height: number): MapFrame {
  let [minX, maxX, minY, maxY] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let n = 0; n < points.length; n += 2) {
    const x = points[n]!;
    const y = points[n + 1]!;
    if (x < minX) minX = x;
    if (x > maxX) maxX = x;
    if (y < minY) minY = y;
    if (y > maxY) maxY = y;
  }
  if (minX > maxX) [minX, maxX, minY, maxY] = [-1, 1, -1, 1];
  const center = { x: (minX + maxX) / 2, y: (minY + maxY) / 2 };
  // One point, or points in one place, are shown as a small disc.
  const min = 0.5;
  return { width, height, center, spanX: Math.max(min, maxX - minX), spanY: Math.max(min, maxY - minY) };
}

/** The view of the whole map. */
export function wholeView({ center }: MapFrame): MapView {
  return { ...center, scale: 1 };
}

/** Pixels per unit of the map; the same on both axes. */
export function pixelsPerUnit({ width, height, spanX, spanY }: MapFrame, scale: number): number {
  const across = Math.max(40, width - 2 * MARGIN_PX) / spanX;
  const down = Math.max(40, height - 2 * MARGIN_PX) / spanY;
  return scale * Math.min(across, down);
}

/** Position of a place on the canvas; y grows upwards on the map and downwards on the canvas. */
export function toScreen(frame: MapFrame, view: MapView, x: number, y: number): ScreenPoint {
  const unit = pixelsPerUnit(frame, view.scale);
  return { x: frame.width / 2 + (x - view.x) * unit, y: frame.height / 2 - (y - view.y) * unit };
}

/** Place of a position on the canvas. */
export function toMap(frame: MapFrame, view: MapView, at: ScreenPoint): ScreenPoint {
  const unit = pixelsPerUnit(frame, view.scale);
  return { x: view.x + (at.x - frame.width / 2) / unit, y: view.y - (at.y - frame.height / 2) / unit };
}

/** Moves the map by pixels. The middle stays within the box of the points, so that the map cannot be lost. */
export function panBy(frame: MapFrame, view: MapView, dx: number, dy: number): MapView {
  const unit = pixelsPerUnit(frame, view.scale);
  return within(frame, { ...view, x: view.x - dx / unit, y: view.y + dy / unit });
}

/** Enlarges the map by a factor; the place under `at` stays there. */
export function zoomBy(frame: MapFrame, view: MapView, factor: number, at: ScreenPoint): MapView {
  const scale = Math.min(SCALES.max, Math.max(SCALES.min, view.scale * factor));
  const place = toMap(frame, view, at);
  const unit = pixelsPerUnit(frame, scale);
  return within(frame, {
    scale,
    x: place.x - (at.x - frame.width / 2) / unit,
    y: place.y + (at.y - frame.height / 2) / unit,
  });
}

function within({ center, spanX, spanY }: MapFrame, view: MapView): MapView {
  const bound = (value: number, middle: number, span: number) =>
    Math.min(middle + span / 2, Math.max(middle - span / 2, value));
  return { ...view, x: bound(view.x, center.x, spanX), y: bound(view.y, center.y, spanY) };
}
