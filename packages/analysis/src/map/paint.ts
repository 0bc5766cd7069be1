/** Paints the points of a map into pixels: for pictures in files, and for browsers without WebGL. */

/** How points are drawn. */
export interface PointStyle {
  /** Pixels. */
  readonly radius: number;
  /** Opacity of a point, 0 to 1: low where points lie over each other, so that their density shows. */
  readonly alpha: number;
}

/** Radius of a point on a map of few and of very many points, at the scale that shows all. */
const RADIUS_PX = { few: 4, many: 1.1 } as const;

/** Maximum radius, when zoomed in. */
const MAX_RADIUS_PX = 7;

/** Share of a map that points typically cover; the rest lies between the groups. */
const COVERED_SHARE = 0.12;

/** Opacities of the most and the least crowded maps. */
const ALPHA = { min: 0.1, max: 0.85 } as const;

/** What points that are not part of a selection keep of their opacity. */
export const FAINT_SHARE = 0.12;

/**
 * Chooses the style for the number of points on the map, its area in pixels at scale 1, and its scale.
 * @param count number of points on the whole map
 * @param area width × height
 * @param scale 1 shows the whole map; 2 enlarges it to twice the width and height
 */
export function pointStyle(count: number, area: number, scale: number): PointStyle {
  // So that all points together would cover a fifth of the area.
  const fitting = Math.sqrt((0.2 * area) / (Math.PI * Math.max(1, count)));
  const base = Math.min(RADIUS_PX.few, Math.max(RADIUS_PX.many, fitting));
  const radius = Math.min(MAX_RADIUS_PX, base * Math.sqrt(Math.max(1, scale)));
  const layers = (count * Math.PI * radius * radius) / (COVERED_SHARE * area * scale * scale);
  return { radius, alpha: Math.min(ALPHA.max, Math.max(ALPHA.min, 2.2 / Math.max(layers, 1e-9))) };
}

/** An opaque image: 4 bytes per pixel, red, green, blue and 255. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8ClampedArray;
}

/** Points to paint. */
export interface PaintedPoints {
  /** x and y of each point, interleaved; points at NaN are left out. */
  readonly places: Float32Array;
  /** Index of the colour of each point. */
  readonly colors: Uint8Array;
  /** Red, green and blue of each colour, interleaved, 0 to 255. */
  readonly palette: Uint8Array;
  /** 0 for a point that is painted faint, under the others; `null` if there are none. */
  readonly visible: Uint8Array | null;
}

/** Which part of the map the image shows. */
export interface PaintedView {
  /** Place in the middle of the image. */
  readonly x: number;
  readonly y: number;
  readonly pixelsPerUnit: number;
}

/** Paints the points over the image; y grows upwards on the map. */
export function paintPoints(
  image: Pixels,
  points: PaintedPoints,
  view: PaintedView,
  { radius, alpha }: PointStyle,
): void {
  if (points.visible !== null) paintLayer(image, points, view, stampOf(radius, FAINT_SHARE * alpha), 0);
  paintLayer(image, points, view, stampOf(radius, alpha), 1);
}

/** The pixels of a point: offsets from its middle, and how opaque each is, 0 to 256. */
interface Stamp {
  readonly dx: Int8Array;
  readonly dy: Int8Array;
  readonly opacity: Uint16Array;
}

/** A disc with a soft edge. */
function stampOf(radius: number, alpha: number): Stamp {
  const reach = Math.ceil(radius);
  const dx: number[] = [];
  const dy: number[] = [];
  const opacity: number[] = [];
  for (let y = -reach; y <= reach; y++) {
    for (let x = -reach; x <= reach; x++) {
      const inside = Math.min(1, Math.max(0, radius + 0.5 - Math.sqrt(x * x + y * y)));
      if (inside <= 0.05) continue;
      dx.push(x);
      dy.push(y);
      opacity.push(Math.max(1, Math.round(256 * alpha * inside)));
    }
  }
  return { dx: Int8Array.from(dx), dy: Int8Array.from(dy), opacity: Uint16Array.from(opacity) };
}

function paintLayer(
  { width, height, bytes }: Pixels,
  { places, colors, palette, visible }: PaintedPoints,
  view: PaintedView,
  { dx, dy, opacity }: Stamp,
  layer: 0 | 1,
): void {
  const middleX = width / 2 - view.x * view.pixelsPerUnit;
  const middleY = height / 2 + view.y * view.pixelsPerUnit;
  for (let n = 0; n < colors.length; n++) {
    if (visible !== null && (visible[n] === 0 ? 0 : 1) !== layer) continue;
    const x = Math.floor(middleX + places[2 * n]! * view.pixelsPerUnit);
    const y = Math.floor(middleY - places[2 * n + 1]! * view.pixelsPerUnit);
    // Also false for NaN.
    if (!(x >= -MAX_RADIUS_PX && x < width + MAX_RADIUS_PX)) continue;
    if (!(y >= -MAX_RADIUS_PX && y < height + MAX_RADIUS_PX)) continue;
    const color = 3 * colors[n]!;
    const [red, green, blue] = [palette[color]!, palette[color + 1]!, palette[color + 2]!];
    for (let at = 0; at < opacity.length; at++) {
      const column = x + dx[at]!;
      const line = y + dy[at]!;
      if (column < 0 || column >= width || line < 0 || line >= height) continue;
      const byte = 4 * (line * width + column);
      const share = opacity[at]!;
      bytes[byte]! += ((red - bytes[byte]!) * share) >> 8;
      bytes[byte + 1]! += ((green - bytes[byte + 1]!) * share) >> 8;
      bytes[byte + 2]! += ((blue - bytes[byte + 2]!) * share) >> 8;
    }
  }
}
