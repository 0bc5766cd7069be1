/**
 * The language signal: the share of tokens that a model does not know, and the message about it.
 *
 * Decisions: docs/decisions/0176 and 0194.
 */

import { BUILT_IN_MODEL, STATIC_MODEL } from './limits.ts';
import { countScripts, mostFrequent } from './scripts.ts';
import type { RowOutcome } from './verdicts.ts';

/** Share of unknown tokens from which on the signal is shown. English rows with emoji have about 1 % (docs/quality.md). */
export const UNKNOWN_SHARE_SHOWN = 0.05;

/** What a run or a sample states about its unknown tokens. */
export interface UnknownTokens {
  /** Tokens that the model computed. */
  tokens: number;
  /** Those that frame texts, such as [CLS] and [SEP]: they say nothing about a text and do not count. */
  specialTokens: number;
  /** Those that its vocabulary does not know: see `RowOutcome.unknownTokens`. */
  unknownTokens: number;
  /** Script of most of them other than Latin; `null` for emoji and symbols. */
  unknownScript: string | null;
}

/** Models with the English vocabulary of the built-in model. */
const ENGLISH_MODELS: readonly string[] = [BUILT_IN_MODEL, STATIC_MODEL];

/** Returns the fields of an outcome with unknown tokens. */
export function unknownTokensOf(
  text: string,
  unknownTokens: number,
): Pick<RowOutcome, 'unknownTokens' | 'script'> {
  // Every model knows Latin letters: what it does not know among them are symbols.
  const script = mostFrequent([...countScripts(text)].filter(([name]) => name !== 'Latin'));
  return script === undefined ? { unknownTokens } : { unknownTokens, script };
}

/** Returns the share of unknown tokens among those of the texts, 0 to 1; 0 without tokens. */
export function unknownShare({
  tokens,
  specialTokens,
  unknownTokens,
}: Omit<UnknownTokens, 'unknownScript'>): number {
  const textTokens = tokens - specialTokens;
  return textTokens > 0 ? unknownTokens / textTokens : 0;
}

/** Scripts of which the vocabulary of a model has words, if the model is built in; else its tokenizer states them. */
export function builtInScripts(model: string): readonly string[] | undefined {
  return ENGLISH_MODELS.includes(model) ? ['Latin'] : undefined;
}

/**
 * Returns the warning about the texts of a sample before they are embedded; `null` if the model knows the scripts of at
 * least 95 % of their letters, or if its scripts are not known.
 * @param scripts letters by script
 * @param known scripts of which the vocabulary of the model has words. Default: those of the built-in models
 */
export function describeScripts(
  scripts: Readonly<Record<string, number>>,
  model: string,
  known = builtInScripts(model),
): string | null {
  if (known === undefined) return null;
  const letters = Object.values(scripts).reduce((sum, each) => sum + each, 0);
  const unknown = Object.entries(scripts).filter(([script]) => !known.includes(script));
  const share = unknown.reduce((sum, [, each]) => sum + each, 0) / Math.max(1, letters);
  const script = mostFrequent(unknown);
  if (share < UNKNOWN_SHARE_SHOWN || script === undefined) return null;
  return (
    `${percentOf(share)} of the letters of the first texts are in scripts unknown to ${model} (mostly ${script})` +
    adviceFor(model)
  );
}

function adviceFor(model: string): string {
  return ENGLISH_MODELS.includes(model) ? '; use --model multilingual' : '; use a model for this language';
}

/**
 * Returns the message of the language signal; `null` below 5 % of unknown tokens.
 * @param model name of the model
 */
export function describeUnknownTokens(figures: UnknownTokens, model: string): string | null {
  const share = unknownShare(figures);
  if (share < UNKNOWN_SHARE_SHOWN) return null;
  const { unknownScript: script } = figures;
  const mostly = script === null ? ' (emoji and symbols)' : ` (mostly ${script})`;
  const advice = script === null ? '' : adviceFor(model);
  return `${percentOf(share)} of the tokens of these texts are unknown to ${model}${mostly}${advice}`;
}

function percentOf(share: number): string {
  return `${Math.round(100 * share)} %`;
}
