/** The pack planner: which texts go through the model in one run. */

/**
 * Tokens of a pack. From about here on more tokens do not make a run faster, and a thread that serves another request
 * between two packs answers within the time of one.
 */
export const PACK_TOKENS = 256;

/**
 * Divides texts into packs of neighbours, in order: a pack is full before a text would take it beyond `maxTokens`; a longer
 * text has one of its own.
 *
 * @param lengths tokens of each text
 * @returns for each pack the index behind its last text
 */
export function planPacks(lengths: ArrayLike<number>, maxTokens = PACK_TOKENS): number[] {
  const ends: number[] = [];
  let tokens = 0;
  for (let i = 0; i < lengths.length; i++) {
    if (tokens > 0 && tokens + lengths[i]! > maxTokens) {
      ends.push(i);
      tokens = 0;
    }
    tokens += lengths[i]!;
  }
  if (lengths.length > 0) ends.push(lengths.length);
  return ends;
}
