/** Writes JSON lines: `{"id":…,"vector":…}` per row. */

import type { VectorRows } from '@embedmill/contract';
import { rowView } from '@embedmill/contract';
import { MAX_CHUNK_BYTES } from './chunks.ts';
import { checkShape } from './shape.ts';
import type { Format } from './types.ts';
import { vectorTextBytes, writerOf } from './vector-text.ts';

/** A chunk is given out when it is as long as this; a row more may be on it. */
const CHUNK_BYTES = 256 * 1024;

/** A line without its vector, beside what the id needs. */
const FRAME_BYTES = 64;

/**
 * One object per line: `id`, and `vector` as a list of numbers, as base64, or null for a row without one. An int8 vector has
 * its `scale` behind it; base64 of another dtype than float32 has its name in `dtype`.
 */
export const jsonl: Format = {
  name: 'jsonl',
  contentType: 'application/x-ndjson',
  extension: '.jsonl',
  async *encode(rows, shape, { encoding = 'float', dtype = 'float32' } = {}) {
    const lines = new LineBuffer();
    const write = writerOf(encoding, dtype);
    const vectorBytes = vectorTextBytes(shape.dim, encoding);
    for await (const slice of checkShape(rows, shape)) {
      for (let row = 0; row < slice.ids.length; row++) {
        const id = JSON.stringify(slice.ids[row]);
        yield* lines.reserve(id.length * 3 + FRAME_BYTES + vectorBytes);
        lines.write(`{"id":${id},"vector":`);
        if (slice.present[row] === 1)
          lines.fill((out, at) => write(out, at, rowView(slice.vectors, slice.dim, row)));
        else lines.write('null');
        lines.write('}\n');
      }
    }
    yield* lines.rest();
  },
};

/** `{"id":…}` per row: the ids that an .npy file has no room for, as `.ids.jsonl` beside it. */
export async function* encodeIds(rows: AsyncIterable<Pick<VectorRows, 'ids'>>): AsyncGenerator<Uint8Array> {
  const lines = new LineBuffer();
  for await (const { ids } of rows) {
    for (const given of ids) {
      const id = JSON.stringify(given);
      yield* lines.reserve(id.length * 3 + FRAME_BYTES);
      lines.write(`{"id":${id}}\n`);
    }
  }
  yield* lines.rest();
}

/** Collects lines into chunks. */
class LineBuffer {
  #out = Buffer.allocUnsafe(CHUNK_BYTES);
  #length = 0;

  /** Makes room for `bytes`, giving out what is there when they do not fit. */
  *reserve(bytes: number): Generator<Uint8Array> {
    if (this.#length + bytes <= this.#out.length) return;
    yield* this.rest();
    this.#out = Buffer.allocUnsafe(Math.max(CHUNK_BYTES, bytes));
    this.#length = 0;
  }

  write(text: string): void {
    this.#length += this.#out.write(text, this.#length);
  }

  /** Lets `write` put bytes at a position and return the position behind them. */
  fill(write: (out: Buffer, at: number) => number): void {
    this.#length = write(this.#out, this.#length);
  }

  /** What has not been given out. */
  *rest(): Generator<Uint8Array> {
    for (let at = 0; at < this.#length; at += MAX_CHUNK_BYTES) {
      yield this.#out.subarray(at, Math.min(this.#length, at + MAX_CHUNK_BYTES));
    }
  }
}
