/** How hits look on a terminal. */

import { cutLine } from '../../shell/terminal/lines.ts';
import { formatTable } from '../../shell/terminal/table.ts';
import type { Found } from './search.ts';

/** Ids longer than this are cut, so that the text keeps its room. */
const LONGEST_ID = 40;

/** Columns of `0.1234` or `-0.1234` and the spaces between three cells. */
const FRAME_CHARS = 12;

/** One line per hit: score, id and, cut to the width, its text. */
export function describeHits(hits: readonly Found[], columns: number): string[] {
  const ids = hits.map(({ id }) => cutLine(id, LONGEST_ID));
  const room = columns - FRAME_CHARS - Math.max(0, ...ids.map((id) => id.length));
  return formatTable(
    hits.map(({ score, text }, n) => [
      score.toFixed(4),
      ids[n]!,
      ...(text === null ? [] : [cutLine(text, room)]),
    ]),
    [0],
  );
}
