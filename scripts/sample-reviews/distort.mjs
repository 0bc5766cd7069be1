/** Distorts composed reviews the way hasty writers do: upper case, missing punctuation, typing errors, emoji. */

import { capital } from './expand.mjs';

/** Share of the reviews that stay as composed. */
const UNCHANGED_SHARE = 0.82;

/** @type {readonly ((text: string, random: import('@embedmill/analysis').Random) => string)[]} */
const DISTORTIONS = [
  (text) => text.toUpperCase(),
  (text) => text.toLowerCase().replace(/[.,;:]/g, ''),
  (text, random) => `${text} ${random.pick(['👍', '🙄', '😡😡', '⭐⭐⭐⭐⭐', '❤️', '🤷', '🎉'])}`,
  (text, random) => text.replace(/[.!]$/, random.pick(['!!!', '...', '!!!!!1', ' :-)', ' :('])),
  (text, random) => swapLetters(swapLetters(text, random), random),
  (text, random) => `${random.pick(['so', 'ok', 'hmm', 'Well', 'Update:', 'EDIT:', '5/5', '2/10'])} ${text}`,
  (text) => text.replaceAll('. ', '.\n'),
  (text) => `"${capital(text.toLowerCase())}" - says the whole family & me`,
];

/**
 * The text, unchanged in most cases.
 * @param {string} text
 * @param {import('@embedmill/analysis').Random} random
 */
export function distort(text, random) {
  return random.chance(UNCHANGED_SHARE) ? text : random.pick(DISTORTIONS)(text, random);
}

/** Swaps two adjacent lower-case letters at a random place after the first letter. */
function swapLetters(text, random) {
  const at = 1 + Math.floor(random.next() * Math.max(1, text.length - 3));
  const pair = text.slice(at, at + 2);
  return /^[a-z]{2}$/.test(pair) ? `${text.slice(0, at)}${pair[1]}${pair[0]}${text.slice(at + 2)}` : text;
}
