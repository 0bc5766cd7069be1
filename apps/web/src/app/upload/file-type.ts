/** How a file is turned into the bytes of an upload: UTF-8, in records that can be cut into parts. */

import { MAX_COLUMNS } from '@embedmill/contract';
import type { ReadingPlan } from '@embedmill/core/formats';
import { decodeText, joinLines, recordsOfArray, recordsOfLines } from './convert.ts';
import { readingQuery } from './reading-query.ts';

/** Conversion of a file, and how the result is sent. A value without functions: it is kept for a resumed upload. */
export interface UploadFileType {
  isGzip: boolean;
  /** A label of the Encoding Standard. */
  charset: string;
  /** Whether lines end with a CR alone. */
  isCr: boolean;
  /** Format of the file. */
  source: ReadingPlan['format'];
  /** Columns and paths that are sent of Parquet and Arrow. */
  columns: string[];
  /** Format of the upload. */
  format: 'jsonl' | 'csv' | 'tsv';
  /** Whether each part begins with the first record of the file. */
  hasHeader: boolean;
  /** Quote of CSV and TSV; `null` if a line is a record. */
  quote: string | null;
  contentType: string;
  /** Further query of the upload. */
  query: Record<string, string>;
}

const CONTENT_TYPES = {
  jsonl: 'application/x-ndjson',
  csv: 'text/csv',
  tsv: 'text/tab-separated-values',
} as const;

/**
 * Returns how the page uploads a file with this plan.
 * @throws {Error} if only the command can read it; the message is shown on the page
 */
export function uploadTypeOf({
  name,
  packing,
  format,
  charset,
  lineEnd,
  dialect,
  columns,
  textField,
  idField,
}: ReadingPlan): UploadFileType {
  const isPackedTable = isTable(format) && packing !== 'none';
  if (isPackedTable || (packing !== 'none' && packing !== 'gzip')) {
    throw new Error(
      `“${name}” is packed with ${packing}, which this page cannot upload. Use the command: embedmill embed "${name}" --to vectors.npy`,
    );
  }
  // Lists, such as vectors, stay on the machine.
  const kept = columns.filter(({ type }) => type !== 'list').slice(0, MAX_COLUMNS);
  const sent = format === 'csv' || format === 'tsv' ? format : 'jsonl';
  return {
    isGzip: packing === 'gzip',
    charset,
    isCr: lineEnd === 'cr',
    source: format,
    columns: [textField, idField, ...kept.map(({ name: column }) => column)].filter(
      (field) => field !== null,
    ),
    format: sent,
    hasHeader: dialect?.header ?? false,
    quote: dialect?.quote ?? null,
    contentType: CONTENT_TYPES[sent],
    query: {
      ...(dialect === null ? {} : readingQuery(dialect)),
      // The run keeps all columns of the file, within its bounds.
      ...(format === 'txt' ? {} : { columns: '*' }),
    },
  };
}

/**
 * Returns the bytes of an upload.
 * @param onRead called with the number of bytes of each chunk read from the file itself
 */
export function openFile(
  file: File,
  { isGzip, charset, isCr, source, columns }: UploadFileType,
  onRead: (bytes: number) => void,
): ReadableStream<Uint8Array> {
  if (isTable(source)) return openTableLines(file, source, { columns, onRead });
  let bytes: ReadableStream<Uint8Array<ArrayBuffer>> = file.stream().pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform: (chunk, controller) => {
        onRead(chunk.byteLength);
        controller.enqueue(chunk);
      },
    }),
  );
  if (isGzip) bytes = bytes.pipeThrough(new DecompressionStream('gzip'));
  // Bytes of UTF-8 go as they are, so that a row that is not UTF-8 is refused alone.
  const isPlain = charset === 'utf-8' && !isCr && source !== 'json' && source !== 'txt';
  if (isPlain) return bytes;
  let text = bytes.pipeThrough(decodeText(charset));
  if (isCr) text = text.pipeThrough(joinLines());
  if (source === 'json') text = text.pipeThrough(recordsOfArray());
  if (source === 'txt') text = text.pipeThrough(recordsOfLines());
  return text.pipeThrough(new TextEncoderStream());
}

/** Whether a format is a table, which is converted to JSON Lines. */
export function isTable(format: ReadingPlan['format']): format is 'parquet' | 'arrow' {
  return format === 'parquet' || format === 'arrow';
}

/** The rows of a table as JSON Lines; its reader is loaded for the first table. */
function openTableLines(
  file: File,
  format: 'parquet' | 'arrow',
  { columns, onRead }: { columns: readonly string[]; onRead: (bytes: number) => void },
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let before = 0;
  const onFraction = (fraction: number) => {
    onRead(Math.round((fraction - before) * file.size));
    before = fraction;
  };
  async function* chunks() {
    const { openTableFile, tableLines } = await import('./table.ts');
    for await (const { lines } of tableLines(await openTableFile(file, format), {
      names: columns,
      onFraction,
    }))
      yield encoder.encode(lines);
  }
  const source = chunks();
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const { done, value } = await source.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: async () => {
        await source.return(undefined);
      },
    },
    // Nothing is read ahead, so that the fraction is that of the rows given.
    { highWaterMark: 0 },
  );
}
