/**
 * Reads the vector column of a Parquet file that Embedmill wrote: the counterpart of core's `parquet-vectors.ts`.
 *
 * A general reader makes an array of every list, 11 000 rows a second. The pages of our own files hold the floats as they
 * lie in memory and, in front of them, levels in runs as long as a vector.
 */

import type { AsyncBuffer, FileMetaData } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';

/** Definition level of a float that is there; runs of another level are rows without a vector. */
const DEFINED = 2;

/** The floats of a row group, zeros where a row has none; `null` when its pages are not as we write them. */
export async function readOwnVectors(
  file: AsyncBuffer,
  group: FileMetaData['row_groups'][number],
): Promise<{ dim: number; vectors: Float32Array } | null> {
  const meta = group.columns.find((column) => column.meta_data?.path_in_schema[0] === 'vector')?.meta_data;
  if (meta?.codec !== 'UNCOMPRESSED' || meta.type !== 'FLOAT') return null;
  const start = Number(meta.data_page_offset);
  const bytes = await file.slice(start, start + Number(meta.total_compressed_size));
  const reader = { view: new DataView(bytes), offset: 0 };
  const rows = Number(group.num_rows);
  let dim = 0;
  let vectors = new Float32Array(0);
  let row = 0;
  while (reader.offset < bytes.byteLength) {
    const header = parquetHeader(reader);
    const page = header.data_page_header_v2;
    if (page === undefined || page.encoding !== 'PLAIN') return null;
    const levelsStart = reader.offset + page.repetition_levels_byte_length;
    let at = levelsStart + page.definition_levels_byte_length;
    const present = (page.num_values - page.num_nulls) / Math.max(1, page.num_rows - page.num_nulls);
    if (dim === 0 && present > 0) {
      dim = present;
      vectors = new Float32Array(rows * dim);
    }
    for (const { level, count } of levelRuns(new Uint8Array(bytes, levelsStart, at - levelsStart))) {
      if (level !== DEFINED) {
        row += count;
        continue;
      }
      new Uint8Array(vectors.buffer, row * dim * 4, count * 4).set(new Uint8Array(bytes, at, count * 4));
      at += count * 4;
      row += count / dim;
    }
    reader.offset += header.compressed_page_size;
  }
  return row === rows ? { dim, vectors } : null;
}

/** Runs of equal levels: twice the length as a varint, then the value (parquet-format, Encodings.md, "RLE"). */
function* levelRuns(bytes: Uint8Array): Generator<{ level: number; count: number }> {
  for (let at = 0; at < bytes.length; ) {
    let header = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]!;
      header += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    yield { level: bytes[at++]!, count: header / 2 };
  }
}
