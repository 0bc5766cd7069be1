/** The weight compiler: quantises the tensors of an encoder and writes the file that `native/model.h` describes. */
import { crc32 } from 'node:zlib';
import { EngineError } from '../errors.ts';
import { quantizeColumns, quantizeRows } from './quantize.ts';
import type { Dense, Encoder, EncoderLayer, Norm } from './tensors.ts';

/**
 * Revision of `packWeights`: the same tensors and revision give the same bytes. To be raised whenever quantisation or
 * layout changes.
 */
export const WEIGHTS_REVISION = 1;

const HEADER_BYTES = 64;
const SECTION_BYTES = 64;
/** Columns of a panel. */
const LANES = 16;
/** Inputs of a linear layer are padded to a multiple of this, the depth of an AMX tile. */
const DEPTH = 64;
/** `MAX_POSITIONS` of native/model.h: positions beyond it are left out. */
export const MAX_POSITIONS = 512;
const MAX_MAGNITUDE = 1024;

/**
 * The packed weight file of an encoder. The same tensors give the same bytes.
 *
 * @throws EngineError `weights-unsupported`, naming the tensor
 */
export function packWeights(encoder: Encoder): Uint8Array {
  const shape = shapeOf(encoder);
  const { width, inner } = shape;
  const file = new SectionWriter();
  const words = quantizeRows(checked('words', encoder.words, shape.vocabulary * width), width);
  file.integers(words.integers);
  file.floats('word scales', words.scales);
  file.floats('positions', checked('positions', encoder.positions).subarray(0, shape.positions * width));
  writeNorm(file, 'embeddingNorm', encoder.embeddingNorm, width);
  encoder.layers.forEach((layer, index) => {
    const name = (part: string) => `layers[${index}].${part}`;
    file.floats(name('attentionInputScale'), scaleOrOnes(layer.attentionInputScale, width));
    writeDense(file, name('query, key, value'), joinHeads(layer, encoder.heads), width, 3 * width);
    writeDense(file, name('attentionOutput'), layer.attentionOutput, width, width);
    writeNorm(file, name('attentionNorm'), layer.attentionNorm, width);
    file.floats(name('intermediateInputScale'), scaleOrOnes(layer.intermediateInputScale, width));
    writeDense(file, name('intermediate'), layer.intermediate, width, inner);
    file.floats(name('outputInputScale'), scaleOrOnes(layer.outputInputScale, inner));
    writeDense(file, name('output'), layer.output, inner, width);
    writeNorm(file, name('outputNorm'), layer.outputNorm, width);
  });
  return withHeader(file.finish(), encoder, shape);
}

interface Shape {
  width: number;
  inner: number;
  vocabulary: number;
  positions: number;
}

function shapeOf(encoder: Encoder): Shape {
  const { width, heads, layers } = encoder;
  if (!Number.isInteger(width) || width < 64 || width % 64 !== 0) {
    throw unsupported(`a width of ${width}, expected a multiple of 64`);
  }
  if (heads * 32 !== width && heads * 64 !== width) {
    throw unsupported(`${heads} heads of a width of ${width}, expected heads of 32 or 64`);
  }
  if (layers.length === 0) throw unsupported('no layers');
  const inner = layers[0]!.intermediate.outputs;
  if (inner % LANES !== 0) throw unsupported(`an inner width of ${inner}, expected a multiple of ${LANES}`);
  if (encoder.words.length % width !== 0 || encoder.positions.length % width !== 0) {
    throw unsupported(`words or positions that are not rows of ${width} floats`);
  }
  return {
    width,
    inner,
    vocabulary: encoder.words.length / width,
    positions: Math.min(encoder.positions.length / width, MAX_POSITIONS),
  };
}

/** Grows by sections, each padded to 64 bytes. */
class SectionWriter {
  readonly #sections: Uint8Array[] = [];
  #size = 0;

  integers(values: Int8Array): void {
    this.#add(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  floats(name: string, values: Float32Array): void {
    const bad = values.find((value) => !(Math.abs(value) <= MAX_MAGNITUDE));
    if (bad !== undefined) throw unsupported(`${name} with the value ${bad}, expected up to ±1,024`);
    const bytes = new Uint8Array(values.byteLength);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < values.length; i++) view.setFloat32(4 * i, values[i]!, true);
    this.#add(bytes);
  }

  #add(bytes: Uint8Array): void {
    this.#sections.push(bytes);
    this.#size += roundUp(bytes.byteLength, SECTION_BYTES);
  }

  /** The header's zeros and the sections. */
  finish(): Uint8Array {
    const file = new Uint8Array(HEADER_BYTES + this.#size);
    let at = HEADER_BYTES;
    for (const section of this.#sections) {
      file.set(section, at);
      at += roundUp(section.byteLength, SECTION_BYTES);
    }
    return file;
  }
}

function withHeader(file: Uint8Array, encoder: Encoder, shape: Shape): Uint8Array {
  const header = new DataView(file.buffer, 0, HEADER_BYTES);
  file.set(new TextEncoder().encode('emexact1'));
  const fields = [
    encoder.layers.length,
    shape.width,
    encoder.heads,
    shape.inner,
    shape.vocabulary,
    shape.positions,
    encoder.pooling === 'cls' ? 1 : 0,
  ];
  for (const [i, value] of fields.entries()) header.setUint32(8 + 4 * i, value, true);
  header.setFloat32(36, encoder.layerNormEpsilon, true);
  header.setUint32(60, crc32(file.subarray(HEADER_BYTES), crc32(file.subarray(0, 60))), true);
  return file;
}

/** Columns of query, key and value side by side for each head, so that one head is one product. */
function joinHeads({ query, key, value }: EncoderLayer, heads: number): Dense {
  const { inputs, outputs } = query;
  const size = outputs / heads;
  const weight = new Float32Array(inputs * 3 * outputs);
  const bias = new Float32Array(3 * outputs);
  for (let head = 0; head < heads; head++) {
    for (const [part, dense] of [query, key, value].entries()) {
      const from = head * size;
      const to = (3 * head + part) * size;
      bias.set(dense.bias.subarray(from, from + size), to);
      for (let row = 0; row < inputs; row++) {
        const start = row * outputs + from;
        weight.set(dense.weight.subarray(start, start + size), row * 3 * outputs + to);
      }
    }
  }
  return { inputs, outputs: 3 * outputs, weight, bias };
}

function writeDense(file: SectionWriter, name: string, dense: Dense, inputs: number, outputs: number): void {
  if (dense.inputs !== inputs || dense.outputs !== outputs) {
    throw unsupported(`${name} of ${dense.inputs} × ${dense.outputs}, expected ${inputs} × ${outputs}`);
  }
  const { integers, scales } = quantizeColumns(checked(name, dense.weight, inputs * outputs), outputs);
  file.integers(panelsOf(integers, inputs, outputs));
  file.floats(`${name} scales`, scales);
  file.floats(`${name} bias`, checked(`${name} bias`, dense.bias, outputs));
}

/** [column / 16][k / 4][column % 16][k % 4], k padded with zeros. */
function panelsOf(integers: Int8Array, inputs: number, outputs: number): Int8Array {
  const panelBytes = roundUp(inputs, DEPTH) * LANES;
  const panels = new Int8Array((outputs / LANES) * panelBytes);
  for (let k = 0; k < inputs; k++) {
    const group = (k >> 2) * 4 * LANES + (k & 3);
    for (let column = 0; column < outputs; column++) {
      panels[(column >> 4) * panelBytes + group + (column & 15) * 4] = integers[k * outputs + column]!;
    }
  }
  return panels;
}

function writeNorm(file: SectionWriter, name: string, norm: Norm, width: number): void {
  file.floats(`${name} gain`, checked(`${name} gain`, norm.gain, width));
  file.floats(`${name} bias`, checked(`${name} bias`, norm.bias, width));
}

function scaleOrOnes(scale: Float32Array | undefined, width: number): Float32Array {
  return scale === undefined ? new Float32Array(width).fill(1) : checked('input scale', scale, width);
}

/** A tensor of the expected length whose values are all numbers. */
function checked(name: string, values: Float32Array, length = values.length): Float32Array {
  if (values.length !== length) throw unsupported(`${name} of ${values.length} floats, expected ${length}`);
  for (let i = 0; i < length; i++) {
    if (!Number.isFinite(values[i])) throw unsupported(`${name} with the value ${values[i]} at ${i}`);
  }
  return values;
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

function unsupported(what: string): EngineError {
  return new EngineError('weights-unsupported', `the exact engine does not take ${what}`);
}
