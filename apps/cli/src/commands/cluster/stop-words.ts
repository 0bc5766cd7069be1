/** English words that say nothing of what a cluster is about; `cluster.ts` leaves them out of the key terms. */

/// <reference path="./stopword.d.ts" />

import { eng } from 'stopword';

/** Those that the package's list of 108 words lacks. */
const MORE = (
  'again against cannot does doing done down during ever even few having just let nor no not off once one own shall she so ' +
  'until us when why will yet yours'
).split(' ');

export const STOP_WORDS: ReadonlySet<string> = new Set([...eng, ...MORE]);
