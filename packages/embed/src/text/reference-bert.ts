/**
 * Corrects the two deviations of `@huggingface/tokenizers` from the reference BERT tokenizer, before
 * tokenization.
 *
 * The reference is the Rust library `tokenizers`, with which the model was trained and published.
 */

/** Ideographs outside the basic plane, U+20000 to U+2FA1F, in the ranges of the reference. */
const ASTRAL_IDEOGRAPH = /[\u{20000}-\u{2a6df}\u{2a700}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

/**
 * Rewrites a text so that the library produces the ids of the reference:
 * - The reference lowercases character by character, so Σ always becomes σ; JavaScript makes it ς at the end
 *   of a word.
 * - The reference treats every ideograph as a word; the library reads UTF-16 units and misses those of two
 *   units.
 *
 * @param bert whether the tokenizer lowercases texts, and whether it treats ideographs as words
 */
export function matchReference(text: string, bert: { lowercase: boolean; ideographs: boolean }): string {
  const lowered = bert.lowercase ? text.replaceAll('Σ', 'σ') : text;
  return bert.ideographs ? lowered.replace(ASTRAL_IDEOGRAPH, ' $& ') : lowered;
}
