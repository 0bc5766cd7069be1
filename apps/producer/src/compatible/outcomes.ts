/** Reasons why a text has no usable vector; each compatible API words them in its own way. */

import type { RowOutcome, TextInput } from '@embedmill/contract';
import type { EmbedAnswer } from '@embedmill/core/redis';

/** The fault of one text. */
export type TextFault =
  /** `message`: why a text with letters is empty. */
  | { kind: 'empty'; message?: string | undefined }
  /** `tokens`: estimate for the whole text; `maxTokens`: limit of the model. Both include [CLS] and [SEP]. */
  | { kind: 'too-long'; tokens: number; maxTokens: number }
  /** Its token ids are not in the vocabulary of the model. */
  | { kind: 'bad-tokens'; message: string }
  | { kind: 'failed'; message: string };

/**
 * The fault of a text, or `null` if its vector is usable.
 * @param mayTruncate false if the caller wants over-long texts to fail. They are embedded all the same,
 *   because the outcome of a truncated text states its length and the limit.
 */
function faultOf(outcome: RowOutcome, mayTruncate: boolean): TextFault | null {
  const { verdict, tokens, lostTokens, message } = outcome;
  if (verdict === 'empty') return { kind: 'empty', message };
  if (verdict === 'failed') return { kind: 'failed', message: message ?? 'the model returned no vector' };
  if (verdict === 'truncated' && !mayTruncate)
    return { kind: 'too-long', tokens: tokens + lostTokens, maxTokens: tokens };
  return null;
}

/**
 * The first fault of an answer and the index of its text, or `null` if there is none.
 * @param texts the texts of the call; a failure of a text given as token ids is blamed on the ids
 */
export function firstFault(
  { outcomes }: Pick<EmbedAnswer, 'outcomes'>,
  mayTruncate: boolean,
  texts: readonly TextInput[],
): { index: number; fault: TextFault } | null {
  for (const [index, outcome] of outcomes.entries()) {
    const fault = faultOf(outcome, mayTruncate);
    if (fault === null) continue;
    const isOfTokens = fault.kind === 'failed' && typeof texts[index] !== 'string';
    return { index, fault: isOfTokens ? { ...fault, kind: 'bad-tokens' } : fault };
  }
  return null;
}

/** Number of tokens that the model computed. */
export function countTokens(outcomes: readonly RowOutcome[]): number {
  return outcomes.reduce((sum, { tokens }) => sum + tokens, 0);
}
