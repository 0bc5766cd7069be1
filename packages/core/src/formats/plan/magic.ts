/** Recognizes files by their first bytes and by their names. */

import type { Packing } from '../rows/unpack.ts';
import type { InputFormat } from './types.ts';

/** Bytes needed to recognize a packing or a container. */
export const MAGIC_BYTES = 512;

/** First bytes of packed files: RFC 1952, RFC 8878, bzip2 and the .xz format 1.2. */
const PACKINGS: readonly (readonly [Packing, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
];

/** First bytes of tables that are read, and of files that are not, with what to do instead. */
const CONTAINERS: readonly (readonly [InputFormat, string])[] = [
  ['parquet', 'PAR1'],
  ['arrow', 'ARROW1\0\0'],
  // A stream starts with the mark of a message, the length of a schema and the offset of its table.
  ['arrow', '\xff\xff\xff\xff'],
];

/** Files that users take for texts: their first bytes in hexadecimal, and what to do instead. */
const FOREIGN: readonly (readonly [start: string, what: string])[] = [
  ['504b0304', 'a ZIP archive or an .xlsx workbook; export the sheet as CSV or unpack the archive'],
  ['d0cf11e0a1b11ae1', 'an .xls workbook; export the sheet as CSV'],
  ['255044462d', 'a PDF document; extract its text'],
  ['53514c69746520666f726d6174203300', 'an SQLite database; read it with --query, or export a table as CSV'],
  ['4f626a01', 'an Avro file; convert it to Parquet'],
  ['46454131', 'a Feather V1 file; write it as Feather V2 or Parquet'],
  ['50415245', 'a Parquet file with an encrypted footer; write it without encryption'],
  ['4f5243', 'an ORC file; convert it to Parquet'],
  ['04224d18', 'packed with lz4; unpack it with lz4 -d'],
  ['377abcaf271c', 'a 7-Zip archive; unpack it'],
  ['526172211a07', 'a RAR archive; unpack it'],
];

/** Files that say further behind what they are. */
const FOREIGN_MARKS: readonly (readonly [at: number, mark: string, what: string])[] = [
  [257, 'ustar', 'a tar archive; unpack it'],
  [8, 'DUCK', 'a DuckDB database; read it with --query, or export a table as Parquet'],
];

const FORMATS_BY_EXTENSION: ReadonlyMap<string, InputFormat> = new Map([
  ['jsonl', 'jsonl'],
  ['ndjson', 'jsonl'],
  ['json', 'json'],
  ['csv', 'csv'],
  ['tsv', 'tsv'],
  ['tab', 'tsv'],
  ['txt', 'txt'],
  ['parquet', 'parquet'],
  ['pq', 'parquet'],
  ['arrow', 'arrow'],
  ['feather', 'arrow'],
]);

/** How the bytes are packed, judged by the first 10 of them. */
export function packingOf(bytes: Uint8Array): Packing {
  for (const [packing, magic] of PACKINGS) if (magic.every((byte, n) => bytes[n] === byte)) return packing;
  const start = Buffer.from(bytes.subarray(0, 10)).toString('latin1');
  // "BZh", the block size, then the mark of a block or, in an empty file, of the end.
  if (/^BZh[1-9](1AY&SY|.rE8P\x90)/s.test(start)) return 'bzip2';
  // A skippable frame may come first.
  return /^[P-_]\*M/.test(start) && bytes[3] === 0x18 ? 'zstd' : 'none';
}

/** The table format whose files start with these bytes, or `null`. */
export function containerOf(bytes: Uint8Array): InputFormat | null {
  const start = Buffer.from(bytes.subarray(0, 8)).toString('latin1');
  return CONTAINERS.find(([, magic]) => start.startsWith(magic))?.[0] ?? null;
}

/** What the bytes are if they are no text and no table that is read, with what to do instead; or `null`. */
export function foreignFile(bytes: Uint8Array): string | null {
  const start = Buffer.from(bytes.subarray(0, MAGIC_BYTES));
  const marked = FOREIGN_MARKS.find(([at, mark]) => start.toString('latin1', at, at + mark.length) === mark);
  // A text may have "DUCK" there too, but no zero bytes.
  if (marked !== undefined && start.includes(0)) return marked[2];
  const hex = start.toString('hex');
  return FOREIGN.find(([magic]) => hex.startsWith(magic))?.[1] ?? null;
}

/**
 * The format that a name shows (`reviews.jsonl`, `REVIEWS.CSV.GZ`; case-insensitive); `null` if the name has
 * no known extension. `.ndjson` means the same as `.jsonl`.
 */
export function formatOfName(name: string): InputFormat | null {
  const found = /\.([a-z]+)(?:\.(?:gz|gzip|zst|zstd|bz2|xz))?$/i.exec(name);
  return FORMATS_BY_EXTENSION.get(found?.[1]?.toLowerCase() ?? '') ?? null;
}
