/** The verdicts with their meanings, and a list of verdict counts. */

import { ROW_VERDICTS, type RowVerdict, type VerdictCounts } from '@embedmill/contract';
import { count } from './format.ts';

/** What each verdict means, in a few words. */
export const VERDICT_MEANINGS: Readonly<Record<RowVerdict, string>> = {
  ok: 'the vector covers the whole text',
  truncated: 'the end or start of the text did not fit',
  empty: 'no text, no vector',
  failed: 'no vector; see the report',
};

/** Lists the verdicts that occur, with their numbers of rows. */
export function Verdicts({ verdicts }: { verdicts: VerdictCounts }) {
  const present = ROW_VERDICTS.filter((verdict) => verdicts[verdict] > 0);
  if (present.length === 0) return <span class="soft">none yet</span>;
  return (
    <ul class="verdicts">
      {present.map((verdict) => (
        <li key={verdict} class={`verdict verdict-${verdict}`}>
          {count(verdicts[verdict])} {verdict}
        </li>
      ))}
    </ul>
  );
}
