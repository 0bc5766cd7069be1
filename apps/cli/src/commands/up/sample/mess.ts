/** Spoils a tidy review the way people do: in haste, in anger, with a thumb; called by sample-reviews.ts. */

import type { Random } from '@embedmill/analysis';
import { capital } from './expand.ts';

/** Share of the reviews that stay as composed. */
const TIDY_SHARE = 0.82;

const HABITS: readonly ((text: string, random: Random) => string)[] = [
  (text) => text.toUpperCase(),
  (text) => text.toLowerCase().replace(/[.,;:]/g, ''),
  (text, random) => `${text} ${random.pick(['👍', '🙄', '😡😡', '⭐⭐⭐⭐⭐', '❤️', '🤷', '🎉'])}`,
  (text, random) => text.replace(/[.!]$/, random.pick(['!!!', '...', '!!!!!1', ' :-)', ' :('])),
  (text, random) => swapLetters(swapLetters(text, random), random),
  (text, random) => `${random.pick(['so', 'ok', 'hmm', 'Well', 'Update:', 'EDIT:', '5/5', '2/10'])} ${text}`,
  (text) => text.replaceAll('. ', '.\n'),
  (text) => `"${capital(text.toLowerCase())}" - says the whole family & me`,
];

/** The text, mostly as it was. */
export function mess(text: string, random: Random): string {
  return random.chance(TIDY_SHARE) ? text : random.pick(HABITS)(text, random);
}

/** Two neighbouring letters in the wrong order, somewhere behind the first. */
function swapLetters(text: string, random: Random): string {
  const at = 1 + Math.floor(random.next() * Math.max(1, text.length - 3));
  const pair = text.slice(at, at + 2);
  return /^[a-z]{2}$/.test(pair) ? `${text.slice(0, at)}${pair[1]}${pair[0]}${text.slice(at + 2)}` : text;
}
