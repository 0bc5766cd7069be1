/** Writes NDJSON: one object per row with `id`, the columns of the input and `vector`. */

import { rowView } from '@embedmill/contract';
import type { Column } from '../tables/types.ts';
import { jsonText, toJson } from '../tables/values.ts';
import { MAX_CHUNK_BYTES } from './chunks.ts';
import { checkShape } from './shape.ts';
import type { Format, OutputRows } from './types.ts';
import { vectorTextBytes, writerOf } from './vector-text.ts';

/** Target size of a chunk, in bytes; a chunk is larger if one row is. */
const CHUNK_BYTES = 256 * 1024;

/** Upper bound for the bytes of a line besides id and vector. */
const FRAME_BYTES = 64;

/**
 * One object per line: `id`, the columns, and `vector` as a list of numbers, as base64, or null for a row without a
 * vector. An int8 vector is followed by its `scale`, and base64 of a dtype other than float32 by `dtype`.
 */
export const jsonl: Format = {
  name: 'jsonl',
  contentType: 'application/x-ndjson',
  extension: '.jsonl',
  async *encode(rows, shape, { encoding = 'float', dtype = 'float32', columns = [] } = {}) {
    const lines = new LineBuffer();
    const write = writerOf(encoding, dtype);
    const vectorBytes = vectorTextBytes(shape.dim, encoding);
    for await (const slice of checkShape(rows, shape)) {
      for (let row = 0; row < slice.ids.length; row++) {
        const start = startOf(slice, row, columns);
        yield* lines.reserve(start.length * 3 + FRAME_BYTES + vectorBytes);
        lines.write(`${start},"vector":`);
        if (slice.present[row] === 1)
          lines.fill((out, at) => write(out, at, rowView(slice.vectors, slice.dim, row)));
        else lines.write('null');
        lines.write('}\n');
      }
    }
    yield* lines.rest();
  },
};

/**
 * One object per line with the `id` and the columns: what an .npy file cannot hold; stored as `.ids.jsonl`
 * beside it.
 */
export async function* encodeIds(
  rows: AsyncIterable<Pick<OutputRows, 'ids' | 'columns'>>,
  columns: readonly Column[] = [],
): AsyncGenerator<Uint8Array> {
  const lines = new LineBuffer();
  for await (const slice of rows) {
    for (let row = 0; row < slice.ids.length; row++) {
      const start = startOf(slice, row, columns);
      yield* lines.reserve(start.length * 3 + FRAME_BYTES);
      lines.write(`${start}}\n`);
    }
  }
  yield* lines.rest();
}

/** The start of a line, without the closing brace. */
function startOf(
  { ids, columns: values }: Pick<OutputRows, 'ids' | 'columns'>,
  row: number,
  columns: readonly Column[],
): string {
  let start = `{"id":${JSON.stringify(ids[row])}`;
  for (const [n, { name, type }] of columns.entries()) {
    start += `,${jsonText(name)}:${jsonText(toJson(values?.[n]?.[row], type))}`;
  }
  return start;
}

/** Collects lines into chunks. */
class LineBuffer {
  #out = Buffer.allocUnsafe(CHUNK_BYTES);
  #length = 0;

  /** Ensures room for `bytes`; yields the collected lines if they do not fit. */
  *reserve(bytes: number): Generator<Uint8Array> {
    if (this.#length + bytes <= this.#out.length) return;
    yield* this.rest();
    this.#out = Buffer.allocUnsafe(Math.max(CHUNK_BYTES, bytes));
    this.#length = 0;
  }

  write(text: string): void {
    this.#length += this.#out.write(text, this.#length);
  }

  /** Calls `write` with the current position; it returns the position after the bytes that it wrote. */
  fill(write: (out: Buffer, at: number) => number): void {
    this.#length = write(this.#out, this.#length);
  }

  /** Yields the lines that were not yielded yet. */
  *rest(): Generator<Uint8Array> {
    for (let at = 0; at < this.#length; at += MAX_CHUNK_BYTES) {
      yield this.#out.subarray(at, Math.min(this.#length, at + MAX_CHUNK_BYTES));
    }
  }
}
