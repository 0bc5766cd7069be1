/** Verdicts and outcomes: what a worker reports about each row, and how outcomes add up. */

/** Verdicts in the order of their code in a result blob; append only. */
export const ROW_VERDICTS = ['ok', 'truncated', 'empty', 'failed'] as const;

/**
 * What became of a row.
 * - `ok`: the whole text is in the vector.
 * - `truncated`: the text exceeded the token limit; the vector covers the part that was kept.
 * - `empty`: the text has no tokens that the model reads (nothing, white space, control characters); no vector.
 * - `failed`: no vector; the message of the outcome gives the reason.
 */
export type RowVerdict = (typeof ROW_VERDICTS)[number];

/** Whether rows with this verdict have a vector. */
export function hasVector(verdict: RowVerdict): verdict is 'ok' | 'truncated' {
  return verdict === 'ok' || verdict === 'truncated';
}

/** Position of a chunk within a text. */
export interface ChunkSpan {
  /** In UTF-16 units of the treated text, as `slice` takes them; `end` is exclusive. */
  start: number;
  end: number;
  /** Tokens of the chunk itself, without [CLS], [SEP] and the prompt. */
  tokens: number;
}

/** What a worker reports about one row. */
export interface RowOutcome {
  verdict: RowVerdict;
  /**
   * Tokens fed to the model, [CLS] and [SEP] included, and unknown tokens that a static model ignores; without a
   * vector only the latter.
   */
  tokens: number;
  /**
   * Tokens of the text that are not in the vector: cut off when `truncated`, all of them when the row
   * `failed` because of its length. Estimated for the part of a long text that was cut before it was
   * tokenized.
   */
  lostTokens: number;
  /**
   * Tokens of `tokens` that the vocabulary does not know; absent when 0: the unknown token of the tokenizer, and
   * letters of a script of which the vocabulary has little more than letters.
   */
  unknownTokens?: number;
  /** Script of most letters of a text with unknown tokens, Latin excepted, such as `Thai`; absent without others. */
  script?: string;
  /** Number of chunks averaged into the vector; absent when the text went through the model in one piece. */
  chunks?: number;
  /** Number of glossary terms replaced in the text; absent when 0. */
  replacements?: number;
  /**
   * The chunks in the vector, in order (one if the text was not split); present only if the call requested
   * them.
   */
  chunkSpans?: ChunkSpan[];
  /** The text that `chunkSpans` refer to, without the prompt; absent if treatment left the text unchanged. */
  treated?: string;
  /** Why a row `failed`, or is `empty` although it has letters. */
  message?: string;
}

/** Rows per verdict. */
export type VerdictCounts = Record<RowVerdict, number>;

/** All verdicts at zero. */
export function emptyVerdictCounts(): VerdictCounts {
  return { ok: 0, truncated: 0, empty: 0, failed: 0 };
}

/**
 * What the collector and the progress display need to know of a finished batch without reading its vectors.
 */
export interface BatchSummary {
  rows: number;
  verdicts: VerdictCounts;
  /** Tokens fed to the model. */
  tokens: number;
  /** Those of `tokens` that frame texts and chunks, such as [CLS] and [SEP]; absent when 0. */
  specialTokens?: number;
  /** Tokens that are in no vector. */
  lostTokens: number;
  /** Tokens that the vocabulary of the model does not know, by the script of their text ('' for none); absent when 0. */
  unknownTokens?: Record<string, number>;
  /** Rows whose vector is the mean of chunks; absent when 0. */
  chunkedRows?: number;
  /** Glossary terms replaced; absent when 0. */
  replacements?: number;
}

/**
 * The sum of these outcomes.
 * @param specialTokens tokens that the tokenizer puts around each text and chunk
 */
export function summarizeOutcomes(outcomes: readonly RowOutcome[], specialTokens = 0): BatchSummary {
  const summary: BatchSummary = {
    rows: outcomes.length,
    verdicts: emptyVerdictCounts(),
    tokens: 0,
    lostTokens: 0,
  };
  for (const { verdict, tokens, lostTokens, chunks, replacements, unknownTokens, script } of outcomes) {
    summary.verdicts[verdict] += 1;
    if (specialTokens > 0 && hasVector(verdict))
      summary.specialTokens = (summary.specialTokens ?? 0) + specialTokens * (chunks ?? 1);
    if (chunks !== undefined) summary.chunkedRows = (summary.chunkedRows ?? 0) + 1;
    if (replacements !== undefined) summary.replacements = (summary.replacements ?? 0) + replacements;
    if (unknownTokens !== undefined) {
      const { unknownTokens: counted = {} } = summary;
      counted[script ?? ''] = (counted[script ?? ''] ?? 0) + unknownTokens;
      summary.unknownTokens = counted;
    }
    summary.tokens += tokens;
    summary.lostTokens += lostTokens;
  }
  return summary;
}
