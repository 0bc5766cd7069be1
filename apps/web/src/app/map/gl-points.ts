/** Points in WebGL 2: buffers that are uploaded once, and one draw call per frame. */

import { FAINT_SHARE } from '@embedmill/analysis/map';
import type { DrawnPoints } from './point-renderer.ts';

/** One frame, in clip coordinates per unit of the map. */
export interface GlFrame {
  readonly x: number;
  readonly y: number;
  readonly scaleX: number;
  readonly scaleY: number;
  /** Device pixels. */
  readonly diameter: number;
  readonly alpha: number;
}

/** A place outside every view, for points at NaN: drivers differ in what they make of NaN. */
const NOWHERE = 1e9;

const VERTEX = `#version 300 es
in vec2 place;
in float color;
in float visible;
uniform vec2 center;
uniform vec2 scale;
uniform float diameter;
uniform float layer;
uniform sampler2D palette;
out vec3 rgb;
void main() {
  gl_Position = visible == layer ? vec4((place - center) * scale, 0.0, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
  gl_PointSize = diameter + 1.0;
  rgb = texelFetch(palette, ivec2(int(color), 0), 0).rgb;
}`;

const FRAGMENT = `#version 300 es
precision highp float;
in vec3 rgb;
uniform float diameter;
uniform float alpha;
out vec4 result;
void main() {
  float distance = length(gl_PointCoord - 0.5) * (diameter + 1.0);
  float opacity = alpha * clamp(diameter * 0.5 + 0.5 - distance, 0.0, 1.0);
  result = vec4(rgb * opacity, opacity);
}`;

const ATTRIBUTES = ['place', 'color', 'visible'] as const;
const UNIFORMS = ['center', 'scale', 'diameter', 'layer', 'alpha'] as const;

/** Draws points with a WebGL context. */
export class GlPoints {
  readonly #gl: WebGL2RenderingContext;
  #made: Objects | null = null;
  #drawn: DrawnPoints | null = null;
  /** What the buffers hold, so that only what changed is uploaded. */
  #uploaded: Partial<DrawnPoints> = {};
  readonly #restore = () => {
    this.#made = null;
    if (this.#drawn !== null) this.load(this.#drawn);
  };

  constructor(gl: WebGL2RenderingContext) {
    this.#gl = gl;
    gl.canvas.addEventListener('webglcontextrestored', this.#restore);
    gl.canvas.addEventListener('webglcontextlost', allowRestoring);
  }

  /** Uploads what changed. */
  load(drawn: DrawnPoints): void {
    this.#drawn = drawn;
    const gl = this.#gl;
    if (gl.isContextLost()) return;
    if (this.#made === null) {
      this.#made = makeObjects(gl);
      this.#uploaded = {};
    }
    const { buffers, palette } = this.#made;
    const upload = (buffer: WebGLBuffer, data: Float32Array | Uint8Array) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
    };
    if (this.#uploaded.points !== drawn.points) {
      upload(
        buffers.place,
        drawn.points.map((value) => (Number.isNaN(value) ? NOWHERE : value)),
      );
    }
    if (this.#uploaded.colors !== drawn.colors) upload(buffers.color, drawn.colors);
    if (this.#uploaded.visible !== drawn.visible || this.#uploaded.points !== drawn.points) {
      const count = drawn.points.length / 2;
      upload(
        buffers.visible,
        drawn.visible?.map((value) => Math.min(1, value)) ?? new Uint8Array(count).fill(1),
      );
    }
    if (this.#uploaded.palette !== drawn.palette) {
      const texels = new Uint8Array(256 * 4);
      for (let n = 0; n < drawn.palette.length / 3; n++) {
        texels.set(drawn.palette.subarray(3 * n, 3 * n + 3), 4 * n);
      }
      gl.bindTexture(gl.TEXTURE_2D, palette);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, texels);
    }
    this.#uploaded = drawn;
  }

  /** Draws one frame. */
  draw({ x, y, scaleX, scaleY, diameter, alpha }: GlFrame): void {
    const gl = this.#gl;
    if (this.#made === null || this.#drawn === null || gl.isContextLost()) return;
    const { program, uniforms, array, palette } = this.#made;
    gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.useProgram(program);
    gl.bindVertexArray(array);
    gl.bindTexture(gl.TEXTURE_2D, palette);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.uniform2f(uniforms.center, x, y);
    gl.uniform2f(uniforms.scale, scaleX, scaleY);
    gl.uniform1f(uniforms.diameter, diameter);
    const count = this.#drawn.points.length / 2;
    for (const layer of this.#drawn.visible === null ? [1] : [0, 1]) {
      gl.uniform1f(uniforms.layer, layer);
      gl.uniform1f(uniforms.alpha, layer === 1 ? alpha : FAINT_SHARE * alpha);
      gl.drawArrays(gl.POINTS, 0, count);
    }
  }

  /** Frees the buffers. */
  destroy(): void {
    const gl = this.#gl;
    gl.canvas.removeEventListener('webglcontextrestored', this.#restore);
    gl.canvas.removeEventListener('webglcontextlost', allowRestoring);
    if (this.#made === null) return;
    for (const buffer of Object.values(this.#made.buffers)) gl.deleteBuffer(buffer);
    gl.deleteTexture(this.#made.palette);
    gl.deleteVertexArray(this.#made.array);
    gl.deleteProgram(this.#made.program);
    this.#made = null;
  }
}

type Attribute = (typeof ATTRIBUTES)[number];
type Uniform = (typeof UNIFORMS)[number];

/** What a context holds. */
interface Objects {
  readonly program: WebGLProgram;
  readonly array: WebGLVertexArrayObject;
  readonly palette: WebGLTexture;
  readonly buffers: Record<Attribute, WebGLBuffer>;
  readonly uniforms: Record<Uniform, WebGLUniformLocation | null>;
}

function makeObjects(gl: WebGL2RenderingContext): Objects {
  const program = gl.createProgram();
  for (const [type, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ] as const) {
    const shader = gl.createShader(type)!;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
    gl.deleteShader(shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
    throw new Error(`the map cannot be drawn: ${gl.getProgramInfoLog(program)}`);
  }
  const array = gl.createVertexArray();
  gl.bindVertexArray(array);
  const buffers = {} as Record<Attribute, WebGLBuffer>;
  for (const name of ATTRIBUTES) {
    buffers[name] = gl.createBuffer();
    const location = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
    gl.enableVertexAttribArray(location);
    if (name === 'place') gl.vertexAttribPointer(location, 2, gl.FLOAT, false, 0, 0);
    else gl.vertexAttribPointer(location, 1, gl.UNSIGNED_BYTE, false, 0, 0);
  }
  const palette = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, palette);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  const uniforms = Object.fromEntries(
    UNIFORMS.map((name) => [name, gl.getUniformLocation(program, name)]),
  ) as Objects['uniforms'];
  return { program, array, palette, buffers, uniforms };
}

/** A lost context is restored only if this event is prevented. */
function allowRestoring(event: Event): void {
  event.preventDefault();
}
