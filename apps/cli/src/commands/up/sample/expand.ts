/** Turns a pattern into a sentence; called by compose.ts for every sentence of a review. */

import type { Random } from '@embedmill/analysis';
import type { Pattern } from './types.ts';

/** Words for the names in a pattern, for example `product` → `kettle`; a capital name gives a capital word. */
export type Words = Readonly<Record<string, string>>;

/** Fills in the names from the inside out, then draws one alternative for each choice. */
export function expand(pattern: Pattern, words: Words, random: Random): string {
  const named = pattern.replace(/\{([A-Za-z]+)\}/g, (slot, name: string) => {
    const word = words[name.toLowerCase()];
    if (word === undefined) throw new Error(`the pattern "${pattern}" names ${slot}, which is no word`);
    return name === name.toLowerCase() ? word : capital(word);
  });
  const chosen = named.replace(/\{([^{}]*)\}/g, (_, choice: string) => random.pick(choice.split('|')));
  return capital(chosen.replace(/ {2,}/g, ' ').trim());
}

/** The text with its first letter in upper case. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The text with its first letter in lower case, unless it is the word "I". */
export function uncapital(text: string): string {
  return /^I\b/.test(text) ? text : text.charAt(0).toLowerCase() + text.slice(1);
}
