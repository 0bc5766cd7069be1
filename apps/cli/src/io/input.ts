/** Opens the input of a call and reads rows from it, after a look at its first bytes. */

import { createReadStream, statSync } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { quote, type RowRead } from '@embedmill/contract';
import { gunzip, type ReadRowsOptions, ROW_DEFAULTS, readFields, readRows } from '@embedmill/core/formats';
import type { EmbedRequest } from '../commands/embed/request.ts';
import { UsageError } from '../shell/exit-codes.ts';

/** An opened input. */
export interface Input {
  /** The rows in order, in slices; to be read once. */
  rows: AsyncIterable<RowRead[]>;
  /** Part of the file that was read, from 0 to 1; `null` for stdin. */
  fractionRead(): number | null;
}

/** What an input is opened with. */
export type InputRequest = Pick<EmbedRequest, 'input' | 'textField' | 'idField' | 'isIdAsked'>;

/** Bytes that are looked at before a run is started. */
const HEAD_BYTES = 64 * 1024;

/** The first two bytes of a gzip file (RFC 1952, 2.3.1). */
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

/**
 * Opens the input; unpacks it if it is gzip, whatever its name.
 * @throws {UsageError} when no row of the first ones has the field with the text, or the id that was asked for; lists the
 * fields that there are
 */
export async function openInput(
  request: InputRequest,
  { stdin, maxRowBytes, signal }: { stdin: Readable; maxRowBytes: number; signal: AbortSignal },
): Promise<Input> {
  const { input, textField, idField } = request;
  // A terminal or a pipe on stdin may have nothing to say for hours; the signal ends the reading.
  const stream = addAbortSignal(signal, input.path === null ? stdin : createReadStream(input.path));
  const bytesTotal = input.path === null ? null : statSync(input.path).size;
  let bytesRead = 0;
  const packed = await lookAhead(
    count(stream, (bytes) => (bytesRead += bytes)),
    GZIP_MAGIC.length,
  );
  const isGzip = Buffer.concat(packed.head).subarray(0, GZIP_MAGIC.length).equals(GZIP_MAGIC);
  const unpacked = await lookAhead(isGzip ? gunzip(packed.all) : packed.all, HEAD_BYTES);
  const options: ReadRowsOptions = { format: input.format, textField, idField, maxRowBytes };
  await checkFields(unpacked.head, options, request);
  return {
    rows: readRows(unpacked.all, options),
    fractionRead: () => (bytesTotal === null ? null : bytesTotal === 0 ? 1 : bytesRead / bytesTotal),
  };
}

/** CSV and TSV are refused by their reader; for jsonl, where each row has its own fields, the first rows decide. */
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
    if (request.isIdAsked && !fields.includes(idField))
      throw noField('column', idField, list, '--id', fields);
    return;
  }
  const rows: RowRead[] = [];
  for await (const slice of readRows(replay(head), options)) rows.push(...slice);
  // The last row may be cut off by the end of the head.
  const whole = rows.length > 1 ? rows.slice(0, -1) : rows;
  const isMissing =
    !whole.some((row) => row.ok) && whole.some((row) => !row.ok && row.code === 'missing-text');
  if (isMissing) throw noField('field', textField, list, '--text', fields);
  if (request.isIdAsked && whole.length > 0 && whole.every((row) => row.id === null)) {
    throw noField('field', idField, list, '--id', fields);
  }
}

function noField(kind: string, name: string, list: string, flag: string, fields: string[]): UsageError {
  // The text is more likely in a field that is not called like an id.
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

/** Reads at least `bytes` bytes if there are so many; `all` gives them again and then the rest. */
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
