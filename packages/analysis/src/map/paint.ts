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

/** An opaque image: 4 bytes per pixel, red, green, blue and 255; painted on little-endian machines, as all are today. */
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

/** A part of an image, in pixels; the right column and the bottom line are outside. */
export interface PixelBox {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * Paints the points over the image; y grows upwards on the map.
 * @param box paints only this part. Default: the whole image
 */
export function paintPoints(
  image: Pixels,
  points: PaintedPoints,
  view: PaintedView,
  { radius, alpha }: PointStyle,
  box: PixelBox = { left: 0, top: 0, right: image.width, bottom: image.height },
): void {
  const faint = stampOf(radius, FAINT_SHARE * alpha, image.width);
  if (points.visible !== null) paintLayer(image, points, view, faint, box, 0);
  paintLayer(image, points, view, stampOf(radius, alpha, image.width), box, 1);
}

/** The pixels of a point, and how opaque each is, 0 to 256. */
interface Stamp {
  /** Pixels from its middle to its farthest pixel. */
  readonly reach: number;
  readonly dx: Int8Array;
  readonly dy: Int8Array;
  /** Distance from the middle in the bytes of the image, in pixels. */
  readonly offsets: Int32Array;
  readonly opacity: Uint16Array;
}

/** A disc with a soft edge. */
function stampOf(radius: number, alpha: number, width: number): Stamp {
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
  return {
    reach,
    dx: Int8Array.from(dx),
    dy: Int8Array.from(dy),
    offsets: Int32Array.from(dx, (x, at) => dy[at]! * width + x),
    opacity: Uint16Array.from(opacity),
  };
}

function paintLayer(
  { width, height, bytes }: Pixels,
  { places, colors, palette, visible }: PaintedPoints,
  view: PaintedView,
  { reach, dx, dy, offsets, opacity }: Stamp,
  { left, top, right, bottom }: PixelBox,
  layer: 0 | 1,
): void {
  const middleX = width / 2 - view.x * view.pixelsPerUnit;
  const middleY = height / 2 + view.y * view.pixelsPerUnit;
  // Signed, because the engine computes with integers of 31 bits and a sign, and with floats beyond.
  const pixels = new Int32Array(bytes.buffer, bytes.byteOffset, width * height);
  for (let n = 0; n < colors.length; n++) {
    if (visible !== null && (visible[n] === 0 ? 0 : 1) !== layer) continue;
    const x = Math.floor(middleX + places[2 * n]! * view.pixelsPerUnit);
    const y = Math.floor(middleY - places[2 * n + 1]! * view.pixelsPerUnit);
    // Also false for NaN.
    if (!(x >= left - reach && x < right + reach && y >= top - reach && y < bottom + reach)) continue;
    const color = 3 * colors[n]!;
    const redBlue = palette[color]! | (palette[color + 2]! << 16);
    const green = palette[color + 1]!;
    const isInside = x >= left + reach && x < right - reach && y >= top + reach && y < bottom - reach;
    const middle = y * width + x;
    for (let at = 0; at < opacity.length; at++) {
      if (!isInside) {
        const column = x + dx[at]!;
        const line = y + dy[at]!;
        if (column < left || column >= right || line < top || line >= bottom) continue;
      }
      pixels[middle + offsets[at]!] = blend(pixels[middle + offsets[at]!]!, redBlue, green, opacity[at]!);
    }
  }
}

/**
 * Lays a colour over a pixel. Red and blue are blended in one multiplication: each has 16 bits of the number.
 * @param pixel red in the lowest byte, as in a little-endian image
 */
function blend(pixel: number, redBlue: number, green: number, opacity: number): number {
  const kept = 256 - opacity;
  const mixed =
    ((Math.imul(pixel & 0xff00ff, kept) + Math.imul(redBlue, opacity) + 0x800080) >>> 8) & 0xff00ff;
  const mixedGreen = (((pixel >>> 8) & 0xff) * kept + green * opacity + 0x80) & 0xff00;
  return mixed | mixedGreen | 0xff000000;
}
