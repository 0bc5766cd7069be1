/**
 * Draws the points of a map: with WebGL 2, or into the pixels of a canvas where there is none.
 *
 * Decision: docs/decisions/0223.
 */

import {
  type MapFrame,
  type MapView,
  type PixelBox,
  type PointStyle,
  paintPoints,
  pixelsPerUnit,
  pointStyle,
} from '@embedmill/analysis/map';
import { GlPoints } from './gl-points.ts';

/** What is drawn. */
export interface DrawnPoints {
  /** x and y of each point, interleaved; NaN without a place. */
  readonly points: Float32Array;
  /** Index into the palette of each point. */
  readonly colors: Uint8Array;
  /** Red, green and blue of each colour, interleaved, 0 to 255. */
  readonly palette: Uint8Array;
  /** 0 for a point that is drawn faint; `null` if there are none. */
  readonly visible: Uint8Array | null;
}

/** Draws on one canvas. */
export interface PointRenderer {
  /** Replaces what is drawn; the buffers are uploaded here and not for each frame. */
  load(drawn: DrawnPoints): void;
  /** Draws one frame. */
  draw(frame: MapFrame, view: MapView): void;
  /** Frees what it holds. */
  destroy(): void;
}

/** Red, green and blue, 0 to 255. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** Renderers that run on the CPU, where painting pixels is faster. */
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

/** Options of the context. Without antialiasing, because the shader draws soft edges. */
const CONTEXT: WebGLContextAttributes = {
  antialias: false,
  depth: false,
  failIfMajorPerformanceCaveat: true,
  powerPreference: 'high-performance',
};

/**
 * Draws with WebGL 2 if the browser has it in hardware.
 * @param background returns the colour behind the points
 */
export function createRenderer(canvas: HTMLCanvasElement, background: () => Rgb): PointRenderer {
  const gl = hasHardware() ? canvas.getContext('webgl2', CONTEXT) : null;
  return gl === null ? new PixelRenderer(canvas, background) : new GlRenderer(canvas, gl);
}

/** Asks a canvas of its own, because one with a WebGL context cannot be painted on. */
function hasHardware(): boolean {
  const gl = document.createElement('canvas').getContext('webgl2', CONTEXT);
  if (gl === null) return false;
  const info = gl.getExtension('WEBGL_debug_renderer_info');
  const renderer = String(gl.getParameter(info === null ? gl.RENDERER : info.UNMASKED_RENDERER_WEBGL));
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return !SOFTWARE.test(renderer);
}

/** Style of the points for the whole canvas. */
function styleOf(count: number, { width, height }: MapFrame, view: MapView): PointStyle {
  return pointStyle(count, width * height, view.scale);
}

class GlRenderer implements PointRenderer {
  readonly #canvas: HTMLCanvasElement;
  readonly #points: GlPoints;
  #count = 0;

  constructor(canvas: HTMLCanvasElement, gl: WebGL2RenderingContext) {
    this.#canvas = canvas;
    this.#points = new GlPoints(gl);
  }

  load(drawn: DrawnPoints): void {
    this.#count = placedCount(drawn.points);
    this.#points.load(drawn);
  }

  draw(frame: MapFrame, view: MapView): void {
    fitCanvas(this.#canvas, frame, devicePixelRatio);
    const { radius, alpha } = styleOf(this.#count, frame, view);
    const unit = pixelsPerUnit(frame, view.scale);
    this.#points.draw({
      x: view.x,
      y: view.y,
      scaleX: (2 * unit) / frame.width,
      scaleY: (2 * unit) / frame.height,
      diameter: 2 * radius * devicePixelRatio,
      alpha,
    });
  }

  destroy(): void {
    this.#points.destroy();
  }
}

/**
 * Paints into the pixels of a canvas. While the map is moved, the painted image is shifted by whole pixels and only the
 * parts that become visible are painted.
 */
class PixelRenderer implements PointRenderer {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #background: () => Rgb;
  #drawn: DrawnPoints | null = null;
  #count = 0;
  #image: ImageData | null = null;
  /** What the image shows; `null` if all of it must be painted. */
  #shown: { x: number; y: number; unit: number; background: string } | null = null;

  constructor(canvas: HTMLCanvasElement, background: () => Rgb) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d', { alpha: false })!;
    this.#background = background;
  }

  load(drawn: DrawnPoints): void {
    this.#drawn = drawn;
    this.#count = placedCount(drawn.points);
    this.#shown = null;
  }

  draw(frame: MapFrame, view: MapView): void {
    if (this.#drawn === null) return;
    const [width, height] = fitCanvas(this.#canvas, frame, 1);
    if (this.#image?.width !== width || this.#image.height !== height) {
      this.#image = this.#context.createImageData(width, height);
      this.#shown = null;
    }
    const image = this.#image;
    const unit = pixelsPerUnit(frame, view.scale);
    const rgb = this.#background();
    // Position of the origin of the map, in whole pixels.
    const x = Math.round(width / 2 - view.x * unit);
    const y = Math.round(height / 2 + view.y * unit);
    const isKept = this.#shown?.unit === unit && this.#shown.background === String(rgb);
    const [dx, dy] = isKept ? [x - this.#shown!.x, y - this.#shown!.y] : [width, height];
    for (const box of shiftImage(image, dx, dy)) {
      fillBox(image, box, rgb);
      const { points: places, colors, palette, visible } = this.#drawn;
      paintPoints(
        { width, height, bytes: image.data },
        { places, colors, palette, visible },
        { x: (width / 2 - x) / unit, y: (y - height / 2) / unit, pixelsPerUnit: unit },
        styleOf(this.#count, frame, view),
        box,
      );
    }
    this.#shown = { x, y, unit, background: String(rgb) };
    this.#context.putImageData(image, 0, 0);
  }

  destroy(): void {
    this.#drawn = null;
    this.#image = null;
  }
}

/** Moves the pixels of an image and returns the boxes that must be painted, which do not overlap. */
function shiftImage({ width, height, data }: ImageData, dx: number, dy: number): PixelBox[] {
  const all = { left: 0, top: 0, right: width, bottom: height };
  if (Math.abs(dx) >= width || Math.abs(dy) >= height) return [all];
  const pixels = new Uint32Array(data.buffer);
  const kept = { left: Math.max(0, dx), right: Math.min(width, width + dx) };
  const lines = Array.from({ length: height - Math.abs(dy) }, (_, n) => (dy > 0 ? height - 1 - n : n));
  for (const line of lines) {
    const from = (line - dy) * width - dx;
    pixels.copyWithin(line * width + kept.left, from + kept.left, from + kept.right);
  }
  const top = Math.max(0, dy);
  const bottom = Math.min(height, height + dy);
  return [
    { ...all, bottom: top },
    { ...all, top: bottom },
    { left: 0, right: kept.left, top, bottom },
    { left: kept.right, right: width, top, bottom },
  ].filter((box) => box.left < box.right && box.top < box.bottom);
}

function fillBox({ width, data }: ImageData, { left, top, right, bottom }: PixelBox, rgb: Rgb): void {
  const pixels = new Uint32Array(data.buffer);
  // Little-endian, as every browser is.
  const color = ((255 << 24) | (rgb[2] << 16) | (rgb[1] << 8) | rgb[0]) >>> 0;
  for (let line = top; line < bottom; line++) pixels.fill(color, line * width + left, line * width + right);
}

/** Sets the size of a canvas in device pixels and returns it. */
export function fitCanvas(canvas: HTMLCanvasElement, frame: MapFrame, ratio: number): [number, number] {
  const width = Math.max(1, Math.round(frame.width * ratio));
  const height = Math.max(1, Math.round(frame.height * ratio));
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  return [width, height];
}

function placedCount(points: Float32Array): number {
  let count = 0;
  for (let n = 0; n < points.length; n += 2) if (!Number.isNaN(points[n]!)) count += 1;
  return count;
}
