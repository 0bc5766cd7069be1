/** Words that say little about a text. */

/// <reference path="./stopword.d.ts" />

import { eng, jpn, tha, zho } from 'stopword';

/** Stop words that the list of 108 words in the package lacks. */
const MORE_STOP_WORDS = (
  'again against cannot does doing done down during ever even few having just let nor no not off once one own ' +
  'shall she so until us when why will yet yours'
).split(' ');

/** Frequent English words, in lower case. */
export const STOP_WORDS: ReadonlySet<string> = new Set([...eng, ...MORE_STOP_WORDS]);

/** Frequent words of English, Chinese, Japanese and Thai. */
export const ALL_STOP_WORDS: ReadonlySet<string> = new Set([...STOP_WORDS, ...zho, ...jpn, ...tha]);
