/** Formats search hits for the terminal. */

import { TermSplitter } from '@embedmill/analysis';
import { cutLine } from '../../shell/terminal/lines.ts';
import type { Paint } from '../../shell/terminal/style.ts';
import { formatTable } from '../../shell/terminal/table.ts';
import type { SearchHit } from './search.ts';

/** Longer ids are cut, to leave room for the text. */
const MAX_ID_CHARS = 40;

/** Width of a score, `0.1234` or `-0.1234`, and the gaps between three cells. */
const SCORE_AND_GAPS_CHARS = 12;

/** Width of a relative score, ` (0.12)` or ` (-0.12)`. */
const RELATIVE_CHARS = 8;

/** Width of the score of the first pass and its gap, `first 0.1234  `. */
const FIRST_CHARS = 15;

/** Heads of the columns of two rankings, and their width with gaps. */
const RANK_HEADS = ['MEANING', 'WORDS'];
const RANK_CHARS = 16;

/** How hits are shown. */
export interface DescribeOptions {
  /** Whether the relative score follows in brackets. */
  withRelative?: boolean;
  /** Whether the ranks by meaning and words are shown, under a line of heads. */
  withRanks?: boolean;
  /** Highlights the words of the question. */
  paint?: Paint;
}

/**
 * One line per hit: score, score of the first pass if another model decided, ranks, id and text, cut to `columns`.
 */
export function describeHits(
  hits: readonly SearchHit[],
  columns: number,
  { withRelative = false, withRanks = false, paint = (_style, text) => text }: DescribeOptions = {},
): string[] {
  const ids = hits.map(({ id }) => cutLine(id, MAX_ID_CHARS));
  const hasFirst = hits.some(({ firstScore }) => firstScore !== undefined);
  const room =
    columns -
    SCORE_AND_GAPS_CHARS -
    (withRelative ? RELATIVE_CHARS : 0) -
    (hasFirst ? FIRST_CHARS : 0) -
    (withRanks ? RANK_CHARS : 0) -
    Math.max(0, ...ids.map((id) => id.length));
  const texts = hits.map(({ text }) => (text === null ? null : cutLine(text, room)));
  const heads = ['SCORE', ...(hasFirst ? ['FIRST'] : []), ...RANK_HEADS, 'ID', 'TEXT'];
  const lines = formatTable(
    [
      ...(withRanks ? [heads] : []),
      ...hits.map(({ score, firstScore, relative, rank }, n) => [
        withRelative ? `${score.toFixed(4)} (${relative?.toFixed(2)})` : score.toFixed(4),
        ...(firstScore === undefined ? [] : [`first ${firstScore.toFixed(4)}`]),
        ...(withRanks ? [String(rank.vector ?? '-'), String(rank.words ?? '-')] : []),
        ids[n]!,
        ...(texts[n] === null ? [] : [texts[n]!]),
      ]),
    ],
    withRanks ? [0, ...(hasFirst ? [2, 3] : [1, 2])] : [0],
  );
  const splitter = new TermSplitter();
  return lines.map((line, n) => {
    const hit = n - (withRanks ? 1 : 0);
    const text = texts[hit]?.trimEnd() ?? '';
    if (text === '' || hits[hit]!.words.length === 0) return line;
    const terms = new Set(hits[hit]!.words.flatMap((word) => splitter.distinct(word)));
    return line.slice(0, -text.length) + highlight(text, splitter, terms, paint);
  });
}

/** The text with its words that are among the terms painted. */
function highlight(text: string, splitter: TermSplitter, terms: ReadonlySet<string>, paint: Paint): string {
  let [painted, from] = ['', 0];
  for (const { start, end } of splitter.matches(text, terms)) {
    painted += text.slice(from, start) + paint('strong', text.slice(start, end));
    from = end;
  }
  return painted + text.slice(from);
}
