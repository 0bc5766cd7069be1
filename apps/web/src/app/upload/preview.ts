/** Reads the beginning of a file: its columns and first rows, and how many rows the whole may have. */

import { parse } from 'papaparse';
import { type FileKind, openFile } from './file-kind.ts';

/** Enough for some hundred rows. */
const PREVIEW_BYTES = 256 * 1024;

/** The beginning of a file. */
export interface Preview {
  columns: string[];
  /** Texts by column, as they stand in the file; missing ones are empty. */
  rows: Record<string, string>[];
  /** From the size of the file and of these rows; exact when the whole file is here. */
  rowsInFile: number;
  isWhole: boolean;
}

/** @throws {Error} in words for the page when no rows are found */
export async function readPreview(file: File, kind: FileKind): Promise<Preview> {
  let packedBytes = 0;
  const { text, isWhole, bytes } = await readBeginning(
    openFile(file, kind, (n) => {
      packedBytes += n;
    }),
  );
  const rows = kind.format === 'jsonl' ? readJsonLines(text) : readTable(text, kind.format);
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  if (rows.length === 0 || columns.length === 0) throw new Error(`“${file.name}” contains no rows.`);
  const share = isWhole ? 1 : file.size / (kind.isGzip ? packedBytes : bytes);
  return { columns, rows, rowsInFile: Math.round(rows.length * share), isWhole };
}

/** The column that most likely holds the texts: named so, else the one with the longest values. */
export function likelyTextColumn({ columns, rows }: Preview): string {
  const named = columns.find((column) =>
    /^(text|body|content|review|review_text|description|comment)$/i.test(column),
  );
  const length = (column: string) => rows.reduce((sum, row) => sum + (row[column] ?? '').length, 0);
  return named ?? columns.reduce((best, column) => (length(column) > length(best) ? column : best));
}

/** The column that most likely holds the ids, if any. */
export function likelyIdColumn({ columns }: Preview): string | null {
  return columns.find((column) => /^(id|_id|key|uuid|asin|sku|\w+_id)$/i.test(column)) ?? null;
}

/** Whole records only: the last one may be cut off. */
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

/** Lines that are no JSON objects are left out; the producer reports them. */
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
