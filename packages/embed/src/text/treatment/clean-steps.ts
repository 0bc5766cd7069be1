/** The steps that clean a text, each by its name; `clean.ts` applies those that were chosen, in this order. */
import type { CleanStep } from '@embedmill/contract';
import { withoutHtml } from './html.ts';

/** Breaks that are no line feed: vertical tab, form feed, NEL, and Unicode's line and paragraph separators. */
const LINE_BREAKS = /\r\n?|[\v\f\u0085\u2028\u2029]/g;

/** Characters without a width that mean nothing to a reader: soft hyphen, zero-width blank, word joiner, BOM, directions. */
const INVISIBLE = /[\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\u{e0001}]/gu;

/** Joiners shape letters of Arabic and Indic scripts and tie emoji together; beside ASCII, blanks and nothing they are litter. */
const JOINERS = /[\u200c\u200d]+/g;
const BESIDE_LITTER = /[\s\p{ASCII}]/u;

/** Control characters but tab, line feed and carriage return; unpaired surrogates; what a broken decoding left. */
const CONTROL = /[^\P{Cc}\t\n\r]|\p{Cs}|\ufffd/gu;

/** Blanks that are none of ASCII's: no-break, full-width, thin and their kind. */
const SPACES = /\p{Zs}/gu;

/** Runs, with one between breaks; at the edges they go. */
const RUN = /\s+/g;

/** A mark that ends a sentence, or a blank behind one. */
const FINAL_MARK = /[\s.!?…\u203c\u2047-\u2049\u3002\uff0e\uff01\uff1f\uff61]/;

/** The steps in the order of their work. None makes a text longer, but `nfkc`: at most 18 times as long. */
export const CLEANERS = {
  /** Tags, comments, scripts and styles go, entities become characters. */
  html: withoutHtml,
  /** Unicode's compatibility form: ｆｕｌｌ ｗｉｄｔｈ, ligatures, superscripts and circled digits become plain. */
  nfkc: (text: string) => text.normalize('NFKC'),
  /** Every kind of line break becomes a line feed. */
  'line-breaks': (text: string) => text.replace(LINE_BREAKS, '\n'),
  /** Zero-width characters, BOM, soft hyphens and marks of direction go. */
  invisible: (text: string) => text.replace(INVISIBLE, '').replace(JOINERS, dropStray),
  /** Control characters and broken characters go. */
  control: (text: string) => text.replace(CONTROL, ''),
  /** Blanks of every width become the common one. */
  spaces: (text: string) => text.replace(SPACES, ' '),
  /** A run of white space becomes one blank, or one line feed if it breaks the line; the edges are trimmed. */
  'white-space': (text: string) =>
    text.replace(RUN, (run) => (run.includes('\n') ? '\n' : ' ')).replace(/^\s|\s$/g, ''),
  /** The marks that end the last sentence go: `.` `!` `?` `…` `。` `！` `？` and their kind. Those inside stay. */
  'final-punctuation': withoutFinalMarks,
} as const satisfies Record<CleanStep, (text: string) => string>;

// Character by character from the edges: a pattern would begin again at every mark of a run, and take quadratic time.

function dropStray(joiners: string, at: number, text: string): string {
  const neighbours = [text[at - 1] ?? ' ', text[at + joiners.length] ?? ' '];
  return neighbours.some((neighbour) => BESIDE_LITTER.test(neighbour)) ? '' : joiners;
}

function withoutFinalMarks(text: string): string {
  let end = text.length;
  while (end > 0 && FINAL_MARK.test(text[end - 1]!)) end -= 1;
  return text.slice(0, end);
}
