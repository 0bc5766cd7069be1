/** Formats search hits for the terminal. */

import { cutLine } from '../../shell/terminal/lines.ts';
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

/**
 * One line per hit: score, score of the first pass if another model decided, id and text, cut to `columns`.
 * @param withRelative whether the relative score follows in brackets
 */
export function describeHits(
  hits: readonly SearchHit[],
  columns: number,
  { withRelative = false } = {},
): string[] {
  const ids = hits.map(({ id }) => cutLine(id, MAX_ID_CHARS));
  const relativeChars = withRelative ? RELATIVE_CHARS : 0;
  const firstChars = hits.some(({ firstScore }) => firstScore !== undefined) ? FIRST_CHARS : 0;
  const room =
    columns - SCORE_AND_GAPS_CHARS - relativeChars - firstChars - Math.max(0, ...ids.map((id) => id.length));
  return formatTable(
    hits.map(({ score, firstScore, relative, text }, n) => [
      withRelative ? `${score.toFixed(4)} (${relative?.toFixed(2)})` : score.toFixed(4),
      ...(firstScore === undefined ? [] : [`first ${firstScore.toFixed(4)}`]),
      ids[n]!,
      ...(text === null ? [] : [cutLine(text, room)]),
    ]),
    [0],
  );
}
