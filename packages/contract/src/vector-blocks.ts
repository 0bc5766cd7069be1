/**
 * Vector blocks: how the producer sends the rows of a part, with their vectors, before the run is completed.
 *
 * Little-endian, blocks of any number of rows, back to back: magic `EMV1`, u32 rows, u32 floats per vector, u32 bytes of the
 * JSON, rows × dim float32 (zeros for a row without a vector), then the JSON: `{ "ids": […], "missing": […] }`.
 */

import type { ReportRow } from './runs.ts';

/** A row without a vector, by its 0-based position in its block, and the reason. */
export type MissingRow = Pick<ReportRow, 'line' | 'verdict' | 'message'> & { row: number };

/** Consecutive rows of a part. */
export interface VectorBlock {
  /** One per row; `null` for a row that came without an id: its id is its number in the run, from 1. */
  readonly ids: readonly (string | null)[];
  /** Floats per vector. */
  readonly dim: number;
  /** rows × dim, row by row; zeros for a row without a vector. */
  readonly vectors: Float32Array;
  readonly missing: readonly MissingRow[];
}

/** Value of the HTTP header Content-Type. */
export const VECTOR_BLOCKS_TYPE = 'application/vnd.embedmill.vector-blocks';

const MAGIC = 0x31564d45; // 'EMV1'
const HEADER_BYTES = 16;

/** A block as bytes; the vectors are a view of the given ones. */
export function encodeVectorBlock({ ids, dim, vectors, missing }: VectorBlock): Uint8Array[] {
  const json = new TextEncoder().encode(JSON.stringify({ ids, missing }));
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  for (const [n, value] of [MAGIC, ids.length, dim, json.byteLength].entries())
    view.setUint32(4 * n, value, true);
  return [header, new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength), json];
}

/**
 * Decodes blocks from chunks of any size. Vectors are views of one copy of the bytes, so the chunks may be reused.
 * @throws the result of `invalid` if the bytes are not whole blocks
 */
export async function* decodeVectorBlocks(
  chunks: AsyncIterable<Uint8Array>,
  invalid: (problem: string) => Error,
): AsyncGenerator<VectorBlock> {
  const source = chunks[Symbol.asyncIterator]();
  let chunk: Uint8Array = new Uint8Array();
  /** The next bytes; `null` at the end. */
  const read = async (length: number): Promise<Uint8Array<ArrayBuffer> | null> => {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      if (chunk.byteLength === 0) {
        const { done, value } = await source.next();
        if (done && at === 0) return null;
        if (done) throw invalid(`a block ends ${length - at} bytes early`);
        chunk = value;
      }
      const part = chunk.subarray(0, length - at);
      bytes.set(part, at);
      at += part.byteLength;
      chunk = chunk.subarray(part.byteLength);
    }
    return bytes;
  };
  try {
    for (let header = await read(HEADER_BYTES); header !== null; header = await read(HEADER_BYTES)) {
      const view = new DataView(header.buffer);
      const [magic, rows = 0, dim = 0, jsonBytes = 0] = [0, 4, 8, 12].map((at) => view.getUint32(at, true));
      if (magic !== MAGIC) throw invalid('a block does not start with "EMV1"');
      const vectorBytes = 4 * rows * dim;
      const bytes = await read(vectorBytes + jsonBytes);
      if (bytes === null) throw invalid('a block ends after its header');
      const { ids, missing } = JSON.parse(new TextDecoder().decode(bytes.subarray(vectorBytes)));
      if (ids.length !== rows) throw invalid(`a block of ${rows} rows has ${ids.length} ids`);
      yield { ids, dim, vectors: new Float32Array(bytes.buffer, 0, rows * dim), missing };
    }
  } finally {
    await source.return?.();
  }
}
