/** The language signal: the share of tokens that a model does not know, and the message about it. */

import { BUILT_IN_MODEL } from './limits.ts';
import { countScripts, mostFrequent } from './scripts.ts';
import type { RowOutcome } from './verdicts.ts';

/** Share of unknown tokens from which on the signal is shown. English reviews with emoji stay below 2 %. */
export const UNKNOWN_SHARE_SHOWN = 0.05;

/** What a run or a sample states about its unknown tokens. */
export interface UnknownTokens {
  /** Tokens of the texts that the model computed. */
  tokens: number;
  /** Those that its vocabulary does not know: see `RowOutcome.unknownTokens`. */
  unknownTokens: number;
  /** Script of most of them; `null` if they have none, such as emoji. */
  unknownScript: string | null;
}

/** Returns the fields of an outcome with unknown tokens. */
export function unknownTokensOf(
  text: string,
  unknownTokens: number,
): Pick<RowOutcome, 'unknownTokens' | 'script'> {
  const script = mostFrequent(countScripts(text));
  return script === undefined ? { unknownTokens } : { unknownTokens, script };
}

/** Returns the share of unknown tokens, 0 to 1; 0 without tokens. */
export function unknownShare({ tokens, unknownTokens }: Omit<UnknownTokens, 'unknownScript'>): number {
  return tokens > 0 ? unknownTokens / tokens : 0;
}

/**
 * Returns the message of the language signal; `null` below 5 % of unknown tokens.
 * @param model name of the model
 */
export function describeUnknownTokens(figures: UnknownTokens, model: string): string | null {
  const share = unknownShare(figures);
  if (share < UNKNOWN_SHARE_SHOWN) return null;
  const { unknownScript: script } = figures;
  const mostly = script === null ? '' : ` (mostly ${script})`;
  const advice = model === BUILT_IN_MODEL ? '; use --model multilingual' : '; use a model for this language';
  return `${Math.round(100 * share)} % of the tokens of these texts are unknown to ${model}${mostly}${advice}`;
}
