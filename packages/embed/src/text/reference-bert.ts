/**
 * The two places where `@huggingface/tokenizers` departs from the reference BERT tokenizer (Rust `tokenizers`, which
 * the model was trained and published with), mended in the text before it is tokenized.
 */

/** Ideographs beyond the basic plane, U+20000 to U+2FA1F, in the reference's ranges. */
const ASTRAL_IDEOGRAPH = /[\u{20000}-\u{2a6df}\u{2a700}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

/**
 * - The reference lowercases character by character, so Σ always becomes σ; JavaScript makes it ς at a word's end.
 * - The reference sets every ideograph apart as a word; the library looks at UTF-16 units and misses those of two.
 *
 * @param lowercase whether the tokenizer lowercases at all
 */
export function matchReference(text: string, lowercase: boolean): string {
  const mended = lowercase ? text.replaceAll('Σ', 'σ') : text;
  return mended.replace(ASTRAL_IDEOGRAPH, ' $& ');
}
