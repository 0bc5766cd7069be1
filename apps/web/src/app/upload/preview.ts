/** Reads the columns and first rows of a file, and estimates its number of rows. */

import { parse } from 'papaparse';
import { openFile, type UploadFileType } from './file-type.ts';

/** Enough for several hundred rows. */
const PREVIEW_BYTES = 256 * 1024;

/** Columns and first rows of a file. */
export interface Preview {
  columns: string[];
  /** Values by column; a missing value is absent. */
  rows: Record<string, string>[];
  /** Estimated from the sizes of the file and of these rows; exact if `isWhole`. */
  rowsInFile: number;
  /** Whether `rows` holds all rows of the file. */
  isWhole: boolean;
}

/** @throws {Error} if the file has no rows; the message is shown on the page */
export async function readPreview(file: File, kind: UploadFileType): Promise<Preview> {
  let fileBytes = 0;
  const { text, isWhole, bytes } = await readBeginning(
    openFile(file, kind, (n) => {
      fileBytes += n;
    }),
  );
  const rows = kind.format === 'jsonl' ? readJsonLines(text) : readTable(text, kind.format);
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  if (rows.length === 0 || columns.length === 0) throw new Error(`“${file.name}” contains no rows.`);
  const share = isWhole ? 1 : file.size / (kind.isGzip ? fileBytes : bytes);
  return { columns, rows, rowsInFile: Math.round(rows.length * share), isWhole };
}

/** Guesses the text column: one with a typical name, or else the one with the longest values. */
export function likelyTextColumn({ columns, rows }: Preview): string {
  const named = columns.find((column) =>
    /^(text|body|content|review|review_text|description|comment)$/i.test(column),
  );
  const length = (column: string) => rows.reduce((sum, row) => sum + (row[column] ?? '').length, 0);
  return named ?? columns.reduce((best, column) => (length(column) > length(best) ? column : best));
}

/** Guesses the id column by name; `null` if there is none. */
export function likelyIdColumn({ columns }: Preview): string | null {
  return columns.find((column) => /^(id|_id|key|uuid|asin|sku|\w+_id)$/i.test(column)) ?? null;
}

/** Reads whole lines only: the last one may be incomplete. */
async function readBeginning(stream: ReadableStream<Uint8Array>) {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { text: text + decoder.decode(), isWhole: true, bytes };
    text += decoder.decode(value, { stream: true });
    bytes += value.byteLength;
    if (bytes < PREVIEW_BYTES) continue;
    await reader.cancel();
    const end = text.lastIndexOf('\n');
    return { text: end < 0 ? text : text.slice(0, end + 1), isWhole: false, bytes };
  }
}

function readTable(text: string, format: 'csv' | 'tsv'): Record<string, string>[] {
  const { data } = parse<Record<string, string>>(text, {
    header: true,
    skipEmptyLines: true,
    delimiter: format === 'csv' ? ',' : '\t',
  });
  return data.map(({ __parsed_extra: _, ...row }) => row);
}

/** Skips lines that are not JSON objects; the producer reports them. */
function readJsonLines(text: string): Record<string, string>[] {
  return text.split('\n').flatMap((line) => {
    try {
      const value: unknown = JSON.parse(line);
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
      return [
        Object.fromEntries(
          Object.entries(value).map(([key, field]) => [
            key,
            typeof field === 'string' ? field : JSON.stringify(field),
          ]),
        ),
      ];
    } catch {
      return [];
    }
  });
}
