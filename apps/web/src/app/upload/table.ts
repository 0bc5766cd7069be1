/** Reads Parquet and Arrow files in the browser, as JSON Lines: only the columns of a run leave the machine. */

/// <reference path="./hyparquet-compressors.d.ts" />

import {
  type Column,
  jsonText,
  openArrowTable,
  openParquetTable,
  type RandomBytes,
  type Table,
  type TableCodecs,
  toJson,
} from '@embedmill/core/tables';
import { decompress as decompressZstd } from 'fzstd';
import { snappyUncompress } from 'hyparquet/src/snappy.js';
import { decompressBrotli } from 'hyparquet-compressors/src/brotli.js';
import { gunzip } from 'hyparquet-compressors/src/gzip.js';
import { decompressLz4, decompressLz4Raw } from 'hyparquet-compressors/src/lz4.js';

const decoder = new TextDecoder();

const POLYNOMIAL = 0xedb88320;

/** CRC-32 of each byte. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? POLYNOMIAL : 0);
  return value;
});

/** In JavaScript: WebAssembly, which the main file of hyparquet-compressors loads, needs a weaker policy. */
const BROWSER_CODECS: TableCodecs = {
  compressors: {
    SNAPPY: (packed, length) => {
      const output = new Uint8Array(length);
      snappyUncompress(packed, output);
      return output;
    },
    GZIP: (packed, length) => gunzip(packed, new Uint8Array(length)),
    BROTLI: decompressBrotli,
    // A copy of the exact length: the library returns views of larger buffers.
    ZSTD: (packed) => decompressZstd(packed).slice(),
    LZ4: decompressLz4,
    LZ4_RAW: decompressLz4Raw,
  },
  crc32: (bytes) => {
    let crc = 0xffffffff;
    for (const byte of bytes) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0);
    return (crc ^ 0xffffffff) >>> 0;
  },
  decodeText: (bytes) => decoder.decode(bytes),
};

/** Opens a table. @throws {CorruptError} if the file is damaged */
export function openTableFile(file: File, format: 'parquet' | 'arrow'): Promise<Table> {
  const bytes: RandomBytes = {
    byteLength: file.size,
    read: async (start, end) => new Uint8Array(await file.slice(start, end).arrayBuffer()),
  };
  return format === 'parquet'
    ? openParquetTable(bytes, BROWSER_CODECS)
    : openArrowTable(bytes, BROWSER_CODECS);
}

/**
 * The rows in order, one JSON object per line, in chunks.
 * @param names columns, or paths into them; default all
 * @param onFraction receives the fraction of the file read so far, from 0 to 1
 */
export async function* tableLines(
  table: Table,
  { names, onFraction }: { names?: readonly string[]; onFraction?: (fraction: number) => void } = {},
): AsyncGenerator<{ rows: number; lines: string }> {
  const columns = table.columns.filter(
    ({ name }) => names === undefined || names.some((path) => path === name || path.startsWith(`${name}.`)),
  );
  const read = table.read({ columns: columns.map(({ name }) => name), onFraction });
  for await (const { rows, values } of read) {
    let lines = '';
    for (let row = 0; row < rows; row++) lines += lineOf(columns, values, row);
    yield { rows, lines };
  }
}

function lineOf(columns: readonly Column[], values: readonly (readonly unknown[])[], row: number): string {
  const fields = columns.map(({ name, type }, n): [string, unknown] => {
    const value = values[n]?.[row] ?? null;
    // Old writers store strings as bytes.
    return [name, value instanceof Uint8Array ? decoder.decode(value) : toJson(value, type)];
  });
  return `${jsonText(Object.fromEntries(fields))}\n`;
}
