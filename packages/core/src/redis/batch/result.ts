/**
 * The vectors of one batch as bytes: written by a worker, stored in Redis, copied by the collector into a shard as it is.
 *
 * Little-endian:
 * | offset | bytes | what |
 * |---|---|---|
 * | 0 | 4 | magic `EMO1` |
 * | 4 | 1 | dtype: 0 = float32 |
 * | 5 | 1 | precision: 0 = int8, 1 = fp32 |
 * | 6 | 2 | dimension of a vector |
 * | 8 | 4 | rows |
 * | 12 | 4 | bytes of the messages |
 * | 16 | 8 | model fingerprint |
 * | 24 | 4 | CRC-32 of everything after the header |
 * | 28 | 4 | batch number in its run |
 * | 32 | rows × dim × 4 | vectors, zeros where a row has none |
 * | … | rows × 4 | tokens of each row |
 * | … | rows × 4 | tokens lost of each row |
 * | … | rows | verdict of each row, an index of `ROW_VERDICTS` |
 * | … | messages | JSON: `{ "<row>": "why it failed" }`, or `{ "<row>": { "chunks": 3 } }`, or nothing |
 */

import { crc32 } from 'node:zlib';
import { CorruptError, type Precision, ROW_VERDICTS, type RowOutcome } from '@embedmill/contract';

const MAGIC = 0x314f4d45; // 'EMO1'
const HEADER_BYTES = 32;
const DTYPE_FLOAT32 = 0;
const PRECISIONS: readonly Precision[] = ['int8', 'fp32'];

/** What a row says besides its figures: why it failed, or the rest of its outcome. */
type RowNote = string | Omit<RowOutcome, 'verdict' | 'tokens' | 'lostTokens'>;

/** A reason alone is written as it is: most notes are one. */
function noteOf({ message, ...figures }: Exclude<RowNote, string>): RowNote {
  if (message === undefined) return figures;
  return Object.keys(figures).length === 0 ? message : { message, ...figures };
}

/** What a result says about itself before its rows are read. */
export interface BatchResultHeader {
  /** Batch number in its run. */
  batch: number;
  rows: number;
  /** Floats per vector. */
  dim: number;
  precision: Precision;
  /** 16 hexadecimal characters: weights, graph, precision, tokenizer and limits. */
  fingerprint: string;
}

/** One finished batch. */
export interface BatchResult extends BatchResultHeader {
  /** rows × dim, mean-pooled and L2-normalised; zeros where a row has no vector. */
  vectors: Float32Array;
  outcomes: RowOutcome[];
}

/** Result → bytes, in an `ArrayBuffer` of their own, so that they can be transferred between threads. */
export function encodeBatchResult(result: BatchResult): Uint8Array<ArrayBuffer> {
  const { rows, dim, outcomes, vectors } = result;
  const notes = outcomes.flatMap(({ verdict, tokens, lostTokens, ...rest }, row): [string, RowNote][] =>
    Object.keys(rest).length === 0 ? [] : [[String(row), noteOf(rest)]],
  );
  const messages =
    notes.length === 0 ? Buffer.alloc(0) : Buffer.from(JSON.stringify(Object.fromEntries(notes)));
  const size = sizeOf(rows, dim, messages.byteLength);
  const bytes = new Uint8Array(new ArrayBuffer(size.total));
  const view = new DataView(bytes.buffer);
  bytes.set(new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength), size.vectors);
  for (const [row, outcome] of outcomes.entries()) {
    view.setUint32(size.tokens + 4 * row, outcome.tokens, true);
    view.setUint32(size.lostTokens + 4 * row, outcome.lostTokens, true);
    view.setUint8(size.verdicts + row, ROW_VERDICTS.indexOf(outcome.verdict));
  }
  bytes.set(messages, size.messages);
  view.setUint32(0, MAGIC, true);
  view.setUint8(4, DTYPE_FLOAT32);
  view.setUint8(5, PRECISIONS.indexOf(result.precision));
  view.setUint16(6, dim, true);
  view.setUint32(8, rows, true);
  view.setUint32(12, messages.byteLength, true);
  bytes.set(Buffer.from(result.fingerprint, 'hex'), 16);
  view.setUint32(24, crc32(bytes.subarray(HEADER_BYTES)), true);
  view.setUint32(28, result.batch, true);
  return bytes;
}

/**
 * The header alone, after a check of the length and, unless told otherwise, of the checksum.
 * @throws {CorruptError} `corrupt-result`
 */
export function peekBatchResult(bytes: Uint8Array, options: { verify?: boolean } = {}): BatchResultHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < HEADER_BYTES || view.getUint32(0, true) !== MAGIC) {
    throw new CorruptError(
      'corrupt-result',
      `a batch result starts with "EMO1", got ${bytes.byteLength} bytes of something else`,
    );
  }
  const dtype = view.getUint8(4);
  const precision = PRECISIONS[view.getUint8(5)];
  if (dtype !== DTYPE_FLOAT32 || precision === undefined) {
    throw new CorruptError(
      'corrupt-result',
      `a batch result has dtype 0 and precision 0 or 1, got ${dtype} and ${view.getUint8(5)}`,
    );
  }
  const dim = view.getUint16(6, true);
  const rows = view.getUint32(8, true);
  const { total } = sizeOf(rows, dim, view.getUint32(12, true));
  if (bytes.byteLength !== total) {
    throw new CorruptError(
      'corrupt-result',
      `a batch result of ${rows} rows × ${dim} takes ${total} bytes, got ${bytes.byteLength}`,
    );
  }
  if (options.verify !== false && crc32(bytes.subarray(HEADER_BYTES)) !== view.getUint32(24, true)) {
    throw new CorruptError(
      'corrupt-result',
      `the checksum of a batch result of ${rows} rows does not match its bytes`,
    );
  }
  const fingerprint = Buffer.from(bytes.buffer, bytes.byteOffset + 16, 8).toString('hex');
  return { batch: view.getUint32(28, true), rows, dim, precision, fingerprint };
}

/**
 * Bytes → result; the vectors are a copy, so that the bytes may be reused.
 * @throws {CorruptError} `corrupt-result`
 */
export function decodeBatchResult(bytes: Uint8Array): BatchResult {
  const header = peekBatchResult(bytes);
  const { rows, dim } = header;
  const size = sizeOf(rows, dim, messageBytesOf(bytes));
  const vectors = new Float32Array(rows * dim);
  new Uint8Array(vectors.buffer).set(bytes.subarray(size.vectors, size.tokens));
  return { ...header, vectors, outcomes: readOutcomes(bytes, size, rows) };
}

/**
 * The outcomes alone, without a check of the checksum: for whoever has just made the result.
 * @throws {CorruptError} `corrupt-result`
 */
export function decodeOutcomes(bytes: Uint8Array): RowOutcome[] {
  const { rows, dim } = peekBatchResult(bytes, { verify: false });
  return readOutcomes(bytes, sizeOf(rows, dim, messageBytesOf(bytes)), rows);
}

/** Where the token counts stand in a result of `rows` rows, in bytes; what is there goes to `decodeTokenCounts`. */
export function tokenCountsSpan(rows: number, dim: number): { offset: number; bytes: number } {
  const { tokens, verdicts } = sizeOf(rows, dim, 0);
  return { offset: tokens, bytes: verdicts - tokens };
}

/** Tokens of the text of each row, those cut off included; without a check, for pictures of a whole run. */
export function decodeTokenCounts(area: Uint8Array): Uint32Array {
  const view = new DataView(area.buffer, area.byteOffset, area.byteLength);
  const rows = area.byteLength / 8;
  return Uint32Array.from(
    { length: rows },
    (_, row) => view.getUint32(4 * row, true) + view.getUint32(4 * (rows + row), true),
  );
}

function readOutcomes(bytes: Uint8Array, size: ReturnType<typeof sizeOf>, rows: number): RowOutcome[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages = bytes.subarray(size.messages);
  const notes: Record<string, RowNote> =
    messages.length === 0 ? {} : JSON.parse(Buffer.from(messages).toString());
  return Array.from({ length: rows }, (_, row): RowOutcome => {
    const code = view.getUint8(size.verdicts + row);
    const verdict = ROW_VERDICTS[code];
    if (verdict === undefined) {
      throw new CorruptError('corrupt-result', `row ${row} has verdict code ${code}, expected 0 to 3`);
    }
    const note = notes[row];
    return {
      verdict,
      tokens: view.getUint32(size.tokens + 4 * row, true),
      lostTokens: view.getUint32(size.lostTokens + 4 * row, true),
      ...(typeof note === 'string' ? { message: note } : note),
    };
  });
}

function messageBytesOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(12, true);
}

/** Where each area of a result starts, in bytes. */
function sizeOf(rows: number, dim: number, messageBytes: number) {
  const vectors = HEADER_BYTES;
  const tokens = vectors + rows * dim * 4;
  const lostTokens = tokens + rows * 4;
  const verdicts = lostTokens + rows * 4;
  const messages = verdicts + rows;
  return { vectors, tokens, lostTokens, verdicts, messages, total: messages + messageBytes };
}
