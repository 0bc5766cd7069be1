/** Short test texts, from plain to awkward. */

/** Five opinions on different household goods. */
export const PLAIN_TEXTS = [
  'The kettle boils in two minutes and pours without a drip.',
  'My headphones lost the left channel after a week.',
  'These boots kept my feet dry on a whole day in the snow.',
  'The lamp flickers whenever the fridge switches on.',
  'Soft towels, but they shed blue fluff on everything.',
] as const;

/** Pairs of paraphrases, and one unrelated text. */
export const SIMILAR_TEXTS = {
  one: 'The battery is empty before lunch.',
  same: 'It runs out of charge in half a day.',
  other: 'The curtains arrived in the wrong shade of green.',
} as const;

/** Texts that careless code mishandles; none of them is empty for a tokenizer. */
export const AWKWARD_TEXTS = [
  'ok',
  '  spaces   on\tboth sides \n',
  'Crème brûlée torch: très bien, naïve façade, ﬁne ligature',
  '電池は一日も持ちませんでした。',
  '👍🏽👩‍👩‍👧 family approved 🎉',
  'a "quoted, comma" and a \\ backslash; a line\nbreak',
  'NO NO NO!!! BROKEN ON ARRIVAL!!!',
  'e\u0301 combining, \u200Bzero width, \u202Eright to left',
  'https://example.org/a?b=c&d=%20e#f',
] as const;

/** Texts without tokens. */
export const EMPTY_TEXTS = ['', ' ', '\n\t \u00A0'] as const;

/** A text of `words` words, for tests of length limits. */
export function longText(words: number): string {
  return Array.from({ length: words }, (_, i) => PLAIN_WORDS[i % PLAIN_WORDS.length]).join(' ');
}

const PLAIN_WORDS = ['good', 'kettle', 'quiet', 'motor', 'bad', 'lid', 'fair', 'price', 'slow', 'post'];
