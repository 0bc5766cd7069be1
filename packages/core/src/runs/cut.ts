/**
 * Cuts the rows of a part into batches, of the size that a worker embeds in a fraction of a second.
 * Decision: docs/decisions/0186-batches-are-sized-by-time.md.
 */

import {
  BUILT_IN_MAX_TOKENS,
  DEFAULT_BATCH_ROWS,
  DEFAULT_BATCH_TOKENS,
  type LongTexts,
  maxChunks,
  type RowColumns,
  type RowRead,
} from '@embedmill/contract';

/** A row as a reader gives it, with the values of the columns that the run keeps. */
export type ColumnsRow = RowRead & { readonly columns?: RowColumns };

/**
 * A row in the row log. A row without a text was rejected on input and keeps its position. Its columns are absent if
 * none are kept; versions before 0.2 ignore them.
 */
export type KeptRow =
  | [id: string | null, line: number, text: string, columns?: RowColumns]
  | [id: string | null, line: number, text: null, code: string, message: string, columns?: RowColumns];

/** The rows of a new batch. */
export interface Cut {
  rows: KeptRow[];
  /** Estimated tokens. */
  tokens: number;
}

/**
 * Bytes per token of English reviews with the built-in vocabulary, rounded down; only the size of batches
 * depends on it.
 */
const BYTES_PER_TOKEN = 4;
/**
 * Maximum bytes of texts and columns per batch; a longer text is a batch of its own. Part writers, Redis, workers and
 * readers hold whole batches in memory, several copies at a time.
 */
export const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/** [CLS] and [SEP]. */
const SPECIAL_TOKENS = 2;

/**
 * Estimated tokens that a text costs, up to the limit of the built-in model (per chunk, where long texts are
 * chunked).
 */
export function estimateTokens(text: string, long: LongTexts = 'truncate'): number {
  return tokensOfBytes(Buffer.byteLength(text), long);
}

function tokensOfBytes(bytes: number, long: LongTexts): number {
  const all = SPECIAL_TOKENS + Math.ceil(bytes / BYTES_PER_TOKEN);
  return Math.min(all, BUILT_IN_MAX_TOKENS * maxChunks(long));
}

function keptRow(row: ColumnsRow): KeptRow {
  const columns: [RowColumns] | [] = row.columns === undefined ? [] : [row.columns];
  return row.ok
    ? [row.id, row.line, row.text, ...columns]
    : [row.id, row.line, null, row.code, row.message, ...columns];
}

/** Quotes, colon and comma of a column in the row log. */
const COLUMN_MARKS_BYTES = 6;
/** Digits of a number, or a boolean. */
const NUMBER_BYTES = 8;

/** Estimated bytes of the row log for the columns of a row. */
function bytesOfColumns(columns: RowColumns | undefined): number {
  let bytes = 0;
  for (const name in columns) {
    const value = columns[name]!;
    bytes += name.length + COLUMN_MARKS_BYTES;
    bytes += typeof value === 'string' ? Buffer.byteLength(value) : NUMBER_BYTES;
  }
  return bytes;
}

/** Time that a thread should take for a batch: long against its costs, short against the end of a run. */
const BATCH_SECONDS = 0.5;
/** Limits of batches by time. Each batch size divides a part of the default size. */
const MIN_BATCH_TOKENS = 2048;
const MAX_BATCH_TOKENS = 1_000_000;
const ROW_STEPS = [1, 2, 4, 8].map((times) => times * DEFAULT_BATCH_ROWS);
/** Tokens of a short text; texts with fewer make batches that take less time. */
const SHORT_TEXT_TOKENS = 16;
/** Maximum bytes of vectors per batch by time. */
const MAX_RESULT_BYTES = 4 * 1024 * 1024;

/** The same where a run states its rows per batch, at most 4,096: vectors of up to 1,024 floats never exceed it. */
const MAX_STATED_RESULT_BYTES = 4 * MAX_RESULT_BYTES;

/** Limits of one batch. */
export interface BatchLimits {
  rows: number;
  /** Estimated tokens. */
  tokens: number;
}

/**
 * Limits of the next batch of a run. What its options leave open depends on the rate of a worker's thread, in estimated
 * tokens per second; `undefined` if no worker has reported it.
 */
export function batchLimits(
  { batchRows, batchTokens }: { batchRows: number | null; batchTokens: number | null },
  tokensPerSecond: number | undefined,
  dim: number,
): BatchLimits {
  const measured =
    tokensPerSecond === undefined
      ? DEFAULT_BATCH_TOKENS
      : Math.min(MAX_BATCH_TOKENS, Math.max(MIN_BATCH_TOKENS, Math.round(tokensPerSecond * BATCH_SECONDS)));
  const tokens = batchTokens ?? measured;
  const wanted = tokensPerSecond === undefined ? 0 : measured / SHORT_TEXT_TOKENS;
  const rows = ROW_STEPS.findLast((step) => step <= wanted && step * dim * 4 <= MAX_RESULT_BYTES);
  const statedRows =
    batchRows === null
      ? null
      : Math.min(batchRows, Math.max(1, Math.floor(MAX_STATED_RESULT_BYTES / (4 * dim))));
  return { rows: statedRows ?? rows ?? DEFAULT_BATCH_ROWS, tokens };
}

/** Collects rows until a batch is full. */
export class Cutter {
  readonly #limits: () => BatchLimits;
  readonly #long: LongTexts;
  #current: BatchLimits;
  #open: Cut = { rows: [], tokens: 0 };
  #bytes = 0;

  /** @param limits called at the start of each batch */
  constructor(limits: () => BatchLimits, long: LongTexts) {
    this.#limits = limits;
    this.#long = long;
    this.#current = limits();
  }

  /** Bytes of the texts and columns that are not in a batch yet. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a row; returns the batch that it completed, or `null`. */
  add(row: ColumnsRow): Cut | null {
    const textBytes = row.ok ? Buffer.byteLength(row.text) : 0;
    const bytes = textBytes + bytesOfColumns(row.columns);
    const tokens = row.ok ? tokensOfBytes(textBytes, this.#long) : 0;
    const isTooLarge =
      this.#open.tokens + tokens > this.#current.tokens || this.#bytes + bytes > MAX_BATCH_BYTES;
    const full = this.#open.rows.length > 0 && isTooLarge ? this.flush() : null;
    this.#open.rows.push(keptRow(row));
    this.#open.tokens += tokens;
    this.#bytes += bytes;
    return full ?? (this.#open.rows.length >= this.#current.rows ? this.flush() : null);
  }

  /** The remaining rows as a last batch; `null` when there are none. */
  flush(): Cut | null {
    if (this.#open.rows.length === 0) return null;
    const cut = this.#open;
    this.#open = { rows: [], tokens: 0 };
    this.#bytes = 0;
    this.#current = this.#limits();
    return cut;
  }
}
