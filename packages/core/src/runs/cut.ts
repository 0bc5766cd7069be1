/** Cuts the rows of a part into batches; the same rows give the same batches, however they are chunked. */

import { BUILT_IN_MAX_TOKENS, type LongTexts, maxChunks, type RowRead } from '@embedmill/contract';

/** A row in the row log. A row without a text was rejected on input and keeps its position. */
export type KeptRow =
  | [id: string | null, line: number, text: string]
  | [id: string | null, line: number, text: null, code: string, message: string];

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
 * Maximum bytes of texts per batch; a longer text is a batch of its own. Part writers, Redis, workers and
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

/** Collects rows until a batch is full. */
export class Cutter {
  readonly #maxRows: number;
  readonly #maxTokens: number;
  readonly #long: LongTexts;
  #open: Cut = { rows: [], tokens: 0 };
  #bytes = 0;

  constructor(limits: { batchRows: number; batchTokens: number; long: LongTexts }) {
    this.#maxRows = limits.batchRows;
    this.#maxTokens = limits.batchTokens;
    this.#long = limits.long;
  }

  /** Bytes of the texts that are not in a batch yet. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a row; returns the batch that it completed, or `null`. */
  add(row: RowRead): Cut | null {
    const bytes = row.ok ? Buffer.byteLength(row.text) : 0;
    const tokens = row.ok ? tokensOfBytes(bytes, this.#long) : 0;
    const isTooLarge = this.#open.tokens + tokens > this.#maxTokens || this.#bytes + bytes > MAX_BATCH_BYTES;
    const full = this.#open.rows.length > 0 && isTooLarge ? this.flush() : null;
    this.#open.rows.push(
      row.ok ? [row.id, row.line, row.text] : [row.id, row.line, null, row.code, row.message],
    );
    this.#open.tokens += tokens;
    this.#bytes += bytes;
    return full ?? (this.#open.rows.length >= this.#maxRows ? this.flush() : null);
  }

  /** The remaining rows as a last batch; `null` when there are none. */
  flush(): Cut | null {
    if (this.#open.rows.length === 0) return null;
    const cut = this.#open;
    this.#open = { rows: [], tokens: 0 };
    this.#bytes = 0;
    return cut;
  }
}
