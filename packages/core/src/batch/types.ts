/** The words that every stage shares: lanes, precisions, verdicts. */

/** `bulk` for runs, `interactive` for single questions: two queues, one fleet. */
export type Lane = 'bulk' | 'interactive';

/** Arithmetic of the linear layers. */
export type Precision = 'int8' | 'fp32';

/** What happens to tokens beyond the model's limit: drop the end, drop the start, or fail the row. */
export type Truncate = 'end' | 'start' | 'error';

/** Verdicts in the order of their code in a result blob; append only. */
export const ROW_VERDICTS = ['ok', 'truncated', 'empty', 'failed'] as const;

/** A text, or the ids of its tokens without [CLS] and [SEP]. */
export type TextInput = string | readonly number[];

/** What became of a row: `ok` and `truncated` have a vector, `empty` and `failed` have none. */
export type RowVerdict = (typeof ROW_VERDICTS)[number];

/** Where a chunk of a text is. */
export interface ChunkSpan {
  /** In UTF-16 units of the treated text; `end` is the first unit behind the chunk. */
  start: number;
  end: number;
  /** Tokens of the chunk itself: without [CLS], [SEP] and the prompt. */
  tokens: number;
}

/** What a worker says about one row. */
export interface RowOutcome {
  verdict: RowVerdict;
  /** Tokens that went through the model, [CLS] and [SEP] included; 0 without a vector. */
  tokens: number;
  /** Tokens of the text that are in no vector: cut off when `truncated`, all of them when the row `failed` for its length. */
  lostTokens: number;
  /** Chunks whose mean the vector is; absent when the text went through the model in one piece. */
  chunks?: number;
  /** Terms of the glossary that were replaced in the text; absent: none. */
  replacements?: number;
  /** The chunks in the vector, in order, one when nothing had to be split; only where the call asked for them. */
  chunkSpans?: ChunkSpan[];
  /** The text that `chunkSpans` are of, without the prompt; absent when the treatment left it as it was. */
  treated?: string;
  /** Why a row `failed`. */
  message?: string;
}

/** Rows per verdict. */
export type VerdictCounts = Record<RowVerdict, number>;

/** All verdicts at zero. */
export function emptyVerdictCounts(): VerdictCounts {
  return { ok: 0, truncated: 0, empty: 0, failed: 0 };
}

/** What the collector and the progress bar need of a finished batch without reading its vectors. */
export interface BatchSummary {
  rows: number;
  verdicts: VerdictCounts;
  /** Tokens that went through the model. */
  tokens: number;
  /** Tokens cut off by truncation. */
  lostTokens: number;
  /** Rows whose vector is the mean of chunks; absent: none. */
  chunkedRows?: number;
  /** Terms of the glossary that were replaced; absent: none. */
  replacements?: number;
}

/** The sum of these outcomes. */
export function summarizeOutcomes(outcomes: readonly RowOutcome[]): BatchSummary {
  const summary: BatchSummary = {
    rows: outcomes.length,
    verdicts: emptyVerdictCounts(),
    tokens: 0,
    lostTokens: 0,
  };
  for (const { verdict, tokens, lostTokens, chunks, replacements } of outcomes) {
    summary.verdicts[verdict] += 1;
    if (chunks !== undefined) summary.chunkedRows = (summary.chunkedRows ?? 0) + 1;
    if (replacements !== undefined) summary.replacements = (summary.replacements ?? 0) + replacements;
    summary.tokens += tokens;
    summary.lostTokens += lostTokens;
  }
  return summary;
}
