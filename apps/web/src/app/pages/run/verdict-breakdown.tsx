/** Rows of a run by verdict, and the share of tokens that its vectors do not cover. */

import { ROW_VERDICTS, type RunInfo } from '@embedmill/contract';
import { Bar } from '../../ui/figures.tsx';
import { count, share } from '../../ui/format.ts';
import { VERDICT_MEANINGS } from '../../ui/verdicts.tsx';

/** Renders the table of verdicts. */
export function VerdictBreakdown({ run }: { run: RunInfo }) {
  const { verdicts, rows, tokens, lostTokens } = run;
  return (
    <>
      <table class="breakdown">
        <thead>
          <tr>
            <th scope="col">Verdict</th>
            <th scope="col" class="number">
              Rows
            </th>
            <th scope="col">Share</th>
          </tr>
        </thead>
        <tbody>
          {ROW_VERDICTS.map((verdict) => (
            <tr key={verdict}>
              <th scope="row">
                <span class={`verdict verdict-${verdict}`}>{verdict}</span>
                <span class="soft small block">{VERDICT_MEANINGS[verdict]}</span>
              </th>
              <td class="number">{count(verdicts[verdict])}</td>
              <td class="grow">
                <span class="small">{share(verdicts[verdict], rows.done)}</span>
                <Bar name={`Share of ${verdict}`} value={verdicts[verdict]} whole={rows.done} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="remark">
        {verdicts.truncated === 0
          ? 'No text was over the token limit: every vector covers its whole text.'
          : `${share(verdicts.truncated, rows.done)} of rows truncated, ${share(lostTokens, tokens + lostTokens)} of tokens lost.`}
      </p>
    </>
  );
}
