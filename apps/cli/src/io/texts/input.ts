/** Finds and opens the text input of a command, and checks its fields before any work starts. */

import { createReadStream, existsSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { quote, type RowRead } from '@embedmill/contract';
import {
  detectFormat,
  gunzip,
  type ReadRowsOptions,
  ROW_DEFAULTS,
  type RowFormat,
  readFields,
  readRows,
} from '@embedmill/core/formats';
import { UsageError } from '../../shell/exit-codes.ts';

/** The location and format of an input. */
export interface InputLocation {
  /** Absolute path; `null` for stdin. */
  path: string | null;
  /** Name for messages. */
  name: string;
  format: RowFormat;
}

/** Which input to read, and which of its fields. */
export interface InputRequest {
  input: InputLocation;
  textField: string;
  idField: string;
  /** True if the user named the id field, so that it is required. */
  isIdRequired: boolean;
}

/** An opened input. */
export interface OpenedInput {
  /** The rows in order, in slices. Can be read once. */
  rows: AsyncIterable<RowRead[]>;
  /** The fraction of the file read so far, from 0 to 1; `null` for stdin. */
  fractionRead(): number | null;
}

/** Bytes that are checked before a run starts. */
const HEAD_BYTES = 64 * 1024;

/** The first two bytes of a gzip file (RFC 1952, 2.3.1). */
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

/**
 * The input that a path names, or stdin for `-`. Its format comes from the file name unless given.
 * @throws {UsageError} for a missing file, a folder or an unknown format
 */
export function locateInput(given: string, formatGiven: RowFormat | undefined): InputLocation {
  if (given === '-') {
    if (formatGiven === undefined) {
      throw new UsageError('stdin has no file name to show its format; add --format jsonl, csv, tsv or txt');
    }
    return { path: null, name: 'stdin', format: formatGiven };
  }
  if (!existsSync(given)) throw new UsageError(`there is no input file ${quote(given, 200)}`);
  if (statSync(given).isDirectory())
    throw new UsageError(`the input ${quote(given, 200)} is a folder; expected a file`);
  const format = formatGiven ?? detectFormat(basename(given))?.format;
  if (format === undefined) {
    throw new UsageError(
      `the name ${quote(basename(given), 200)} does not show the format; ` +
        'expected .jsonl, .csv, .tsv or .txt (each also with .gz), or add --format',
    );
  }
  return { path: resolve(given), name: given, format };
}

/**
 * Opens the input; gzip is detected by content, not by name.
 * @throws {UsageError} when none of the first rows has the text field, or the required id field; lists the
 * existing fields
 */
export async function openTextInput(
  request: InputRequest,
  { stdin, maxRowBytes, signal }: { stdin: Readable; maxRowBytes: number; signal: AbortSignal },
): Promise<OpenedInput> {
  const { input, textField, idField } = request;
  // A terminal or pipe may stay silent for hours; the signal ends the wait.
  const stream = addAbortSignal(signal, input.path === null ? stdin : createReadStream(input.path));
  const bytesTotal = input.path === null ? null : statSync(input.path).size;
  let bytesRead = 0;
  const compressed = await lookAhead(
    count(stream, (bytes) => (bytesRead += bytes)),
    GZIP_MAGIC.length,
  );
  const isGzip = Buffer.concat(compressed.head).subarray(0, GZIP_MAGIC.length).equals(GZIP_MAGIC);
  const plain = await lookAhead(isGzip ? gunzip(compressed.all) : compressed.all, HEAD_BYTES);
  const options: ReadRowsOptions = { format: input.format, textField, idField, maxRowBytes };
  await checkFields(plain.head, options, request);
  return {
    rows: readRows(plain.all, options),
    fractionRead: () => (bytesTotal === null ? null : bytesTotal === 0 ? 1 : bytesRead / bytesTotal),
  };
}

/** Checks the header of CSV and TSV, and the first rows of JSON lines, where each row has its own fields. */
async function checkFields(
  head: Uint8Array[],
  options: ReadRowsOptions,
  request: InputRequest,
): Promise<void> {
  const { format, textField = '', idField = '' } = options;
  if (format === 'txt') return;
  const fields = await readFields(replay(head), options);
  const list = `the fields are ${fields.map((field) => quote(field)).join(', ')}`;
  if (format !== 'jsonl') {
    if (fields.length > 0 && !fields.includes(textField))
      throw noField('column', textField, list, '--text', fields);
    if (request.isIdRequired && !fields.includes(idField))
      throw noField('column', idField, list, '--id', fields);
    return;
  }
  const rows: RowRead[] = [];
  for await (const slice of readRows(replay(head), options)) rows.push(...slice);
  // The end of the head may truncate the last row.
  const complete = rows.length > 1 ? rows.slice(0, -1) : rows;
  const isMissing =
    !complete.some((row) => row.ok) && complete.some((row) => !row.ok && row.code === 'missing-text');
  if (isMissing) throw noField('field', textField, list, '--text', fields);
  if (request.isIdRequired && complete.length > 0 && complete.every((row) => row.id === null)) {
    throw noField('field', idField, list, '--id', fields);
  }
}

function noField(kind: string, name: string, list: string, flag: string, fields: string[]): UsageError {
  // The text is unlikely to be in the id field.
  const proposal = fields.find((field) => flag === '--id' || field !== ROW_DEFAULTS.idField) ?? fields[0];
  const example =
    proposal === undefined ? '' : `; choose one with ${flag}, for example ${flag} ${shellWord(proposal)}`;
  return new UsageError(
    `the input has no ${kind} ${quote(name)}: ${list.replace('fields', `${kind}s`)}${example}`,
  );
}

function shellWord(text: string): string {
  return /^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

async function* count(
  bytes: AsyncIterable<Uint8Array>,
  add: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    add(chunk.length);
    yield chunk;
  }
}

/** Reads at least `bytes` bytes, or up to the end; `all` yields them again, followed by the rest. */
async function lookAhead(
  source: AsyncIterable<Uint8Array>,
  bytes: number,
): Promise<{ head: Uint8Array[]; all: AsyncIterable<Uint8Array> }> {
  const rest = source[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  for (let held = 0; held < bytes; ) {
    const next = await rest.next();
    if (next.done) break;
    head.push(next.value);
    held += next.value.length;
  }
  return { head, all: resume(head, rest) };
}

async function* resume(
  head: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* head;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

async function* replay(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}
