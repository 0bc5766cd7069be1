/**
 * Result format: the vectors and outcomes of one batch; written by a worker, copied unchanged into a shard by
 * the collector.
 *
 * Little-endian:
 * | offset | bytes | what |
 * |---|---|---|
 * | 0 | 4 | magic `EMO1` |
 * | 4 | 1 | dtype: 0 = float32 |
 * | 5 | 1 | precision: 0 = int8, 1 = fp32 |
 * | 6 | 2 | floats per vector |
 * | 8 | 4 | rows |
 * | 12 | 4 | bytes of the messages |
 * | 16 | 8 | model fingerprint |
 * | 24 | 4 | CRC-32 of everything after the header |
 * | 28 | 4 | batch number in its run |
 * | 32 | rows × dim × 4 | vectors, zeros where a row has none |
 * | … | rows × 4 | tokens of each row |
 * | … | rows × 4 | lost tokens of each row |
 * | … | rows | verdict of each row, an index into `ROW_VERDICTS` |
 * | … | messages | JSON: `{ "treatment": 2, "special": 2, "digest": "…" }` with `"<row>": "why it failed"` or `"<row>": { "chunks": 3 }`;
 * older workers leave the first three out, or all of it; `special` are the special tokens around each text or chunk, `digest` is that of the job |
 */

import { crc32 } from 'node:zlib';
import {
  type BatchSummary,
  CorruptError,
  type Precision,
  ROW_VERDICTS,
  type RowOutcome,
  summarizeOutcomes,
} from '@embedmill/contract';
import { TREATMENT_REVISION, UNSTATED_REVISION } from './fingerprint.ts';

const MAGIC = 0x314f4d45; // 'EMO1'
const HEADER_BYTES = 32;
const DTYPE_FLOAT32 = 0;
const PRECISIONS: readonly Precision[] = ['int8', 'fp32'];

/** Rest of the outcome of a row: the reason of its failure, or further fields. */
type RowNote = string | Omit<RowOutcome, 'verdict' | 'tokens' | 'lostTokens'>;

/** A reason without other fields is written as a string, as most notes are. */
function noteOf({ message, ...figures }: Exclude<RowNote, string>): RowNote {
  if (message === undefined) return figures;
  return Object.keys(figures).length === 0 ? message : { message, ...figures };
}

/** Header of a result. */
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
  /** Revision of the treatment of the worker. Default: of this build. */
  treatment?: number;
  /** Special tokens that the tokenizer puts around each text and chunk. Default 0. */
  specialTokens?: number;
}

/** Result → bytes, in their own `ArrayBuffer`, so that they can be transferred between threads. */
export function encodeBatchResult(result: BatchResult): Uint8Array<ArrayBuffer> {
  const { rows, dim, outcomes, vectors, treatment = TREATMENT_REVISION, specialTokens = 0 } = result;
  const notes = outcomes.flatMap(({ verdict, tokens, lostTokens, ...rest }, row): [string, RowNote][] =>
    Object.keys(rest).length === 0 ? [] : [[String(row), noteOf(rest)]],
  );
  const special = specialTokens > 0 ? { special: specialTokens } : {};
  const messages = Buffer.from(JSON.stringify({ treatment, ...special, ...Object.fromEntries(notes) }));
  const layout = layoutOf(rows, dim, messages.byteLength);
  const bytes = new Uint8Array(new ArrayBuffer(layout.total));
  const view = new DataView(bytes.buffer);
  bytes.set(new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength), layout.vectors);
  for (const [row, outcome] of outcomes.entries()) {
    view.setUint32(layout.tokens + 4 * row, outcome.tokens, true);
    view.setUint32(layout.lostTokens + 4 * row, outcome.lostTokens, true);
    view.setUint8(layout.verdicts + row, ROW_VERDICTS.indexOf(outcome.verdict));
  }
  bytes.set(messages, layout.messages);
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
 * Reads the header and checks the length.
 * @param options.verify also check the checksum. Default true
 * @throws {CorruptError} `corrupt-result`
 */
export function peekBatchResult(bytes: Uint8Array, options: { verify?: boolean } = {}): BatchResultHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < HEADER_BYTES || view.getUint32(0, true) !== MAGIC) {
    throw new CorruptError(
      'corrupt-result',
      `a batch result must start with "EMO1", got ${bytes.byteLength} bytes without it`,
    );
  }
  const dtype = view.getUint8(4);
  const precision = PRECISIONS[view.getUint8(5)];
  if (dtype !== DTYPE_FLOAT32 || precision === undefined) {
    throw new CorruptError(
      'corrupt-result',
      `a batch result must have dtype 0 and precision 0 or 1, got ${dtype} and ${view.getUint8(5)}`,
    );
  }
  const dim = view.getUint16(6, true);
  const rows = view.getUint32(8, true);
  const { total } = layoutOf(rows, dim, view.getUint32(12, true));
  if (bytes.byteLength !== total) {
    throw new CorruptError(
      'corrupt-result',
      `a batch result of ${rows} rows × ${dim} floats must have ${total} bytes, got ${bytes.byteLength}`,
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

/** Key of the digest among the messages, which are otherwise keyed by row number; readers that do not know it ignore it. */
const DIGEST_KEY = 'digest';

/**
 * A result that states for which rows it was computed.
 * @param result `encodeBatchResult` bytes
 * @param digest `BatchJob.digest`
 */
export function withResultDigest(result: Uint8Array, digest: string): Uint8Array<ArrayBuffer> {
  const { rows, dim } = peekBatchResult(result, { verify: false });
  const { messages } = layoutOf(rows, dim, 0);
  const text = JSON.stringify({ ...readNotes(result, layoutOf(rows, dim, 0)), [DIGEST_KEY]: digest });
  const encoded = Buffer.from(text);
  const bytes = new Uint8Array(new ArrayBuffer(messages + encoded.byteLength));
  bytes.set(result.subarray(0, messages));
  bytes.set(encoded, messages);
  const view = new DataView(bytes.buffer);
  view.setUint32(12, encoded.byteLength, true);
  view.setUint32(24, crc32(bytes.subarray(HEADER_BYTES)), true);
  return bytes;
}

/** The digest of the job for which a result was computed; `undefined` if its worker did not know of digests. */
export function resultDigestOf(result: Uint8Array): string | undefined {
  const { rows, dim } = peekBatchResult(result, { verify: false });
  const digest = readNotes(result, layoutOf(rows, dim, 0))[DIGEST_KEY];
  return typeof digest === 'string' ? digest : undefined;
}

/**
 * Bytes → result; the vectors are a copy, so that the bytes may be reused.
 * @throws {CorruptError} `corrupt-result`
 */
export function decodeBatchResult(bytes: Uint8Array): BatchResult {
  const header = peekBatchResult(bytes);
  const { rows, dim } = header;
  const layout = layoutOf(rows, dim, messageBytesOf(bytes));
  const vectors = new Float32Array(rows * dim);
  new Uint8Array(vectors.buffer).set(bytes.subarray(layout.vectors, layout.tokens));
  const notes = readNotes(bytes, layout);
  return {
    ...header,
    vectors,
    treatment: revisionOf(notes),
    specialTokens: specialTokensOf(notes),
    outcomes: readOutcomes(bytes, layout, rows, notes),
  };
}

/**
 * Reads the outcomes of a result whose checksum is known to be right; it is not checked again.
 * @throws {CorruptError} `corrupt-result`
 */
export function decodeOutcomes(bytes: Uint8Array): RowOutcome[] {
  const { rows, dim } = peekBatchResult(bytes, { verify: false });
  const layout = layoutOf(rows, dim, messageBytesOf(bytes));
  return readOutcomes(bytes, layout, rows, readNotes(bytes, layout));
}

/**
 * Adds up the outcomes of a result whose checksum is known to be right; it is not checked again.
 * @throws {CorruptError} `corrupt-result`
 */
export function summarizeResult(bytes: Uint8Array): BatchSummary {
  const { rows, dim } = peekBatchResult(bytes, { verify: false });
  const layout = layoutOf(rows, dim, messageBytesOf(bytes));
  const notes = readNotes(bytes, layout);
  return summarizeOutcomes(readOutcomes(bytes, layout, rows, notes), specialTokensOf(notes));
}

/** Revision of the treatment with which a result was computed; its checksum is not checked again. */
export function decodeTreatmentRevision(bytes: Uint8Array): number {
  const { rows, dim } = peekBatchResult(bytes, { verify: false });
  return revisionOf(readNotes(bytes, layoutOf(rows, dim, messageBytesOf(bytes))));
}

/** Position and length of the token counts in a result, in bytes; decoded by `decodeTokenCounts`. */
export function tokenCountsSpan(rows: number, dim: number): { offset: number; bytes: number } {
  const { tokens, verdicts } = layoutOf(rows, dim, 0);
  return { offset: tokens, bytes: verdicts - tokens };
}

/** Tokens of the text of each row, including lost ones; not verified, as only statistics use it. */
export function decodeTokenCounts(area: Uint8Array): Uint32Array {
  const view = new DataView(area.buffer, area.byteOffset, area.byteLength);
  const rows = area.byteLength / 8;
  return Uint32Array.from(
    { length: rows },
    (_, row) => view.getUint32(4 * row, true) + view.getUint32(4 * (rows + row), true),
  );
}

/** The messages of a result: notes by row, and what the header has no room for. */
type Notes = Record<string, RowNote> & { treatment?: number; special?: number; digest?: string };

function readNotes(bytes: Uint8Array, layout: ReturnType<typeof layoutOf>): Notes {
  const messages = bytes.subarray(layout.messages);
  return messages.length === 0 ? {} : JSON.parse(Buffer.from(messages).toString());
}

function revisionOf({ treatment }: Notes): number {
  return typeof treatment === 'number' ? treatment : UNSTATED_REVISION;
}

function specialTokensOf({ special }: Notes): number {
  return typeof special === 'number' ? special : 0;
}

function readOutcomes(
  bytes: Uint8Array,
  layout: ReturnType<typeof layoutOf>,
  rows: number,
  notes: Notes,
): RowOutcome[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: rows }, (_, row): RowOutcome => {
    const code = view.getUint8(layout.verdicts + row);
    const verdict = ROW_VERDICTS[code];
    if (verdict === undefined) {
      throw new CorruptError('corrupt-result', `row ${row} has verdict code ${code}, expected 0 to 3`);
    }
    const note = notes[row];
    return {
      verdict,
      tokens: view.getUint32(layout.tokens + 4 * row, true),
      lostTokens: view.getUint32(layout.lostTokens + 4 * row, true),
      ...(typeof note === 'string' ? { message: note } : note),
    };
  });
}

function messageBytesOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(12, true);
}

/** Start of each area of a result and its total length, in bytes. */
function layoutOf(rows: number, dim: number, messageBytes: number) {
  const vectors = HEADER_BYTES;
  const tokens = vectors + rows * dim * 4;
  const lostTokens = tokens + rows * 4;
  const verdicts = lostTokens + rows * 4;
  const messages = verdicts + rows;
  return { vectors, tokens, lostTokens, verdicts, messages, total: messages + messageBytes };
}
