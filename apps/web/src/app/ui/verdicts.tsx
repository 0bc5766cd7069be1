/** What became of the rows, in few words; only verdicts that occur are named. */

import type { VerdictCounts } from '@embedmill/contract';
import { count } from './format.ts';

/** In the order of the API; the meaning is shown on a run's page. */
export const VERDICTS = [
  { verdict: 'ok', meaning: 'the vector covers the whole text' },
  { verdict: 'truncated', meaning: 'the end or start of the text did not fit' },
  { verdict: 'empty', meaning: 'no text, no vector' },
  { verdict: 'failed', meaning: 'no vector; see the report' },
] as const;

export function Verdicts({ verdicts }: { verdicts: VerdictCounts }) {
  const present = VERDICTS.filter(({ verdict }) => verdicts[verdict] > 0);
  if (present.length === 0) return <span class="soft">none yet</span>;
  return (
    <ul class="verdicts">
      {present.map(({ verdict }) => (
        <li key={verdict} class={`verdict verdict-${verdict}`}>
          {count(verdicts[verdict])} {verdict}
        </li>
      ))}
    </ul>
  );
}
