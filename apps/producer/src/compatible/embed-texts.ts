/** Embeds the texts of a compatible API, where a text without tokens has a vector too. */

import { hasVector, type TextInput } from '@embedmill/contract';
import type { EmbedAnswer, InteractiveLane } from '@embedmill/core/redis';

/** The special tokens of the model alone, as the other servers embed a blank. */
const NO_TOKENS: readonly number[] = [];

/**
 * Embeds texts. A text without tokens, such as `" "`, gets the vector of the special tokens alone, as servers
 * of the OpenAI API, Ollama and TEI give it; the native API has the verdict `empty` instead. It stays `empty` if
 * the model has no vector for it, as static models, which ignore special tokens.
 */
export async function embedTexts(
  lane: InteractiveLane,
  texts: readonly TextInput[],
  options: Parameters<InteractiveLane['embed']>[1],
): Promise<EmbedAnswer> {
  const answer = await lane.embed(texts, options);
  if (!answer.outcomes.some(({ verdict }) => verdict === 'empty')) return answer;
  const blank = await lane.embed([NO_TOKENS], options);
  const [blankOutcome] = blank.outcomes;
  if (blankOutcome === undefined || !hasVector(blankOutcome.verdict)) return answer;
  if (blank.dim !== answer.dim) return answer;
  const vectors = answer.vectors.slice();
  const outcomes = answer.outcomes.map((outcome, row) => {
    if (outcome.verdict !== 'empty') return outcome;
    vectors.set(blank.vectors, row * answer.dim);
    return blankOutcome;
  });
  return { ...answer, vectors, outcomes };
}
