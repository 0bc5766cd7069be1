/** Draws the points of a map: with WebGL 2, or into the pixels of a canvas where there is none. */

import {
  type MapFrame,
  type MapView,
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

class PixelRenderer implements PointRenderer {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #background: () => Rgb;
  #drawn: DrawnPoints | null = null;
  #count = 0;
  #image: ImageData | null = null;

  constructor(canvas: HTMLCanvasElement, background: () => Rgb) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d', { alpha: false })!;
    this.#background = background;
  }

  load(drawn: DrawnPoints): void {
    this.#drawn = drawn;
    this.#count = placedCount(drawn.points);
  }

  draw(frame: MapFrame, view: MapView): void {
    if (this.#drawn === null) return;
    const [width, height] = fitCanvas(this.#canvas, frame, 1);
    if (this.#image?.width !== width || this.#image.height !== height) {
      this.#image = this.#context.createImageData(width, height);
    }
    const [red, green, blue] = this.#background();
    // Little-endian, as every browser is.
    new Uint32Array(this.#image.data.buffer).fill(((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0);
    paintPoints(
      { width, height, bytes: this.#image.data },
      {
        places: this.#drawn.points,
        colors: this.#drawn.colors,
        palette: this.#drawn.palette,
        visible: this.#drawn.visible,
      },
      { x: view.x, y: view.y, pixelsPerUnit: pixelsPerUnit(frame, view.scale) },
      styleOf(this.#count, frame, view),
    );
    this.#context.putImageData(this.#image, 0, 0);
  }

  destroy(): void {
    this.#drawn = null;
    this.#image = null;
  }
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
