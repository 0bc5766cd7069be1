/** Why a text has no vector that a caller may be given; every foreign API words it in its own way. */

import type { RowOutcome, TextInput } from '@embedmill/contract';
import type { EmbedAnswer } from '@embedmill/core/redis';

/** What is wrong with one text. */
export type TextFault =
  | { kind: 'empty' }
  /** `tokens` of the whole text, about; `maxTokens` that one vector holds. Both with [CLS] and [SEP]. */
  | { kind: 'too-long'; tokens: number; maxTokens: number }
  /** Its token ids mean nothing to the model. */
  | { kind: 'bad-tokens'; message: string }
  | { kind: 'failed'; message: string };

/**
 * The fault of a text, or `null` when its vector may be given out.
 * @param mayTruncate false when the caller asked to be told about texts beyond the limit. They are embedded and judged
 *   here, since the outcome of a text that was cut says what its limit and its length are.
 */
function faultOf(outcome: RowOutcome, mayTruncate: boolean): TextFault | null {
  const { verdict, tokens, lostTokens, message } = outcome;
  if (verdict === 'empty') return { kind: 'empty' };
  if (verdict === 'failed') return { kind: 'failed', message: message ?? 'the model gave no vector' };
  if (verdict === 'truncated' && !mayTruncate)
    return { kind: 'too-long', tokens: tokens + lostTokens, maxTokens: tokens };
  return null;
}

/**
 * The first fault of an answer and the place of its text.
 * @param texts as they were asked for: what fails of token ids is the fault of the ids
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

/** Tokens that went through the model. */
export function countTokens(outcomes: readonly RowOutcome[]): number {
  return outcomes.reduce((sum, { tokens }) => sum + tokens, 0);
}
