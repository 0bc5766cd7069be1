/** The cleaning steps by name; `clean.ts` applies the chosen ones in this order. */

import type { CleanStep } from '@embedmill/contract';
import { withoutHtml } from './html.ts';

/** Line breaks other than a line feed: CR, CRLF, vertical tab, form feed, NEL, and Unicode's separators. */
const LINE_BREAKS = /\r\n?|[\v\f\u0085\u2028\u2029]/g;

/** Invisible characters without meaning: soft hyphen, zero-width space, word joiner, BOM, direction marks. */
const INVISIBLE = /[\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\u{e0001}]/gu;

/** Joiners, which shape letters of Arabic and Indic scripts and combine emoji. */
const JOINERS = /[\u200c\u200d]+/g;

/** Characters beside which a joiner has no effect and is removed; so is one at the edge of a text. */
const BESIDE_STRAY = /[\s\p{ASCII}]/u;

/**
 * Control characters except tab, line feed and carriage return; unpaired surrogates; replacement characters.
 */
const CONTROL = /[^\P{Cc}\t\n\r]|\p{Cs}|\ufffd/gu;

/** Spaces: no-break, full-width, thin and others. */
const SPACES = /\p{Zs}/gu;

/** A run of white space. */
const RUN = /\s+/g;

/** A mark that ends a sentence, or white space after one. */
const FINAL_MARK = /[\s.!?…\u203c\u2047-\u2049\u3002\uff0e\uff01\uff1f\uff61]/;

/** The steps in their order of application. Only `nfkc` can make a text longer, at most 18 times as long. */
export const CLEANERS = {
  /** Removes tags, comments, scripts and styles, and decodes entities. */
  html: withoutHtml,
  /** Applies Unicode NFKC: ｆｕｌｌ ｗｉｄｔｈ, ligatures, superscripts and circled digits become plain characters. */
  nfkc: (text: string) => text.normalize('NFKC'),
  /** Replaces every kind of line break by a line feed. */
  'line-breaks': (text: string) => text.replace(LINE_BREAKS, '\n'),
  /** Removes zero-width characters, BOM, soft hyphens and direction marks. */
  invisible: (text: string) => text.replace(INVISIBLE, '').replace(JOINERS, dropStray),
  /** Removes control characters, unpaired surrogates and replacement characters. */
  control: (text: string) => text.replace(CONTROL, ''),
  /** Replaces spaces of every width by the ASCII space. */
  spaces: (text: string) => text.replace(SPACES, ' '),
  /**
   * Replaces a run of white space by one space, or by one line feed if it contains one, and trims the text.
   */
  'white-space': (text: string) =>
    text.replace(RUN, (run) => (run.includes('\n') ? '\n' : ' ')).replace(/^\s|\s$/g, ''),
  /** Removes the marks after the last sentence: `.` `!` `?` `…` `。` `！` `？` and similar ones. */
  'final-punctuation': withoutFinalMarks,
} as const satisfies Record<CleanStep, (text: string) => string>;

function dropStray(joiners: string, at: number, text: string): string {
  const neighbors = [text[at - 1] ?? ' ', text[at + joiners.length] ?? ' '];
  return neighbors.some((neighbor) => BESIDE_STRAY.test(neighbor)) ? '' : joiners;
}

/** A loop, because a pattern would start again at every mark of a run and take quadratic time. */
function withoutFinalMarks(text: string): string {
  let end = text.length;
  while (end > 0 && FINAL_MARK.test(text[end - 1]!)) end -= 1;
  return text.slice(0, end);
}
