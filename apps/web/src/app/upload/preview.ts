/** Reads the first rows of a file, and estimates its number of rows. */

import { parse } from 'papaparse';
import { openFile, uploadTypeOf } from './file-type.ts';
import type { ReadingPlan } from './inspect.ts';

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

/**
 * Reads the first rows of a file as its plan says.
 * @throws {Error} if the file has no rows; the message is shown on the page
 */
export async function readPreview(file: File, plan: ReadingPlan): Promise<Preview> {
  const sent = uploadTypeOf(plan);
  const type = { ...sent, columns: plan.columns.map(({ name }) => name) };
  let fileBytes = 0;
  const { text, isWhole } = await readBeginning(
    openFile(file, type, (n) => {
      fileBytes += n;
    }),
  );
  const columns = plan.columns.length > 0 ? plan.columns.map(({ name }) => name) : ['text'];
  const rows = type.format === 'jsonl' ? readJsonLines(text) : readTable(text, plan, columns);
  const fields = [plan.textField, plan.idField].filter((field) => field !== null);
  for (const path of fields.filter((field) => !columns.includes(field))) {
    columns.push(path);
    for (const row of rows) addPath(row, path);
  }
  if (rows.length === 0) throw new Error(`“${file.name}” contains no rows.`);
  const share = isWhole ? 1 : file.size / fileBytes;
  return { columns, rows, rowsInFile: Math.round(rows.length * share), isWhole };
}

/** Reads whole lines only: the last one may be incomplete. */
async function readBeginning(stream: ReadableStream<Uint8Array>) {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { text: text + decoder.decode(), isWhole: true };
    text += decoder.decode(value, { stream: true });
    bytes += value.byteLength;
    if (bytes < PREVIEW_BYTES) continue;
    await reader.cancel();
    const end = text.lastIndexOf('\n');
    return { text: end < 0 ? text : text.slice(0, end + 1), isWhole: false };
  }
}

function readTable(text: string, { dialect }: ReadingPlan, columns: string[]): Record<string, string>[] {
  const { data } = parse<string[]>(text, {
    skipEmptyLines: true,
    delimiter: dialect?.delimiter ?? ',',
    // A character that no text has: without quoting a quote is text.
    quoteChar: dialect?.quote ?? '\0',
  });
  return data
    .slice(dialect?.header === false ? 0 : 1)
    .map((fields) =>
      Object.fromEntries(columns.flatMap((name, i) => (i in fields ? [[name, fields[i]!]] : []))),
    );
}

/** Adds the value at a path (`review.text`) as a column. */
function addPath(row: Record<string, string>, path: string): void {
  const [first = '', ...keys] = path.split('.');
  try {
    let value: unknown = JSON.parse(row[first] ?? '');
    for (const key of keys) value = (value as Record<string, unknown>)[key];
    if (value !== undefined && value !== null) row[path] = String(value);
  } catch {
    // A row without the path; the producer refuses it.
  }
}

/** Integers beyond 2^53 as written; older browsers do not say, and show them rounded. */
function withDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  const isLarge = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
  return isLarge ? (context?.source ?? value) : value;
}

/** Skips lines that are not JSON objects; the producer reports them. */
function readJsonLines(text: string): Record<string, string>[] {
  return text.split('\n').flatMap((line) => {
    try {
      const value: unknown = JSON.parse(line, withDigits);
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
