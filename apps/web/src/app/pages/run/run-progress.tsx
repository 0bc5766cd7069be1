/** Progress of a run: rows, rates and times. */

import type { RunInfo } from '@embedmill/contract';
import { Bar } from '../../ui/figures.tsx';
import { count, duration, moment, rate, share } from '../../ui/format.ts';

/** Renders the progress of a run. */
export function RunProgressFacts({ run }: { run: RunInfo }) {
  const { rows, batches, etaSeconds, createdAt, endedAt } = run;
  const isActive = run.state === 'open' || run.state === 'sealed';
  const seconds = (Date.parse(endedAt ?? new Date().toISOString()) - Date.parse(createdAt)) / 1000;
  return (
    <>
      <p class="progress-line">
        <strong>
          {count(rows.done)} of {count(rows.accepted)} rows
        </strong>{' '}
        <span class="soft">{share(rows.done, rows.accepted)}</span>
      </p>
      <Bar name="Rows done" value={rows.done} whole={rows.accepted} />
      <dl class="facts facts-wide">
        <dt>{isActive ? 'Current speed' : 'Average speed'}</dt>
        <dd>
          {rate(run.rowsPerSecond)} rows/s, {rate(run.tokensPerSecond)} tokens/s
        </dd>
        <dt>{isActive ? 'Time left' : 'Duration'}</dt>
        <dd>{isActive ? (etaSeconds === null ? 'unknown' : duration(etaSeconds)) : duration(seconds)}</dd>
        <dt>Batches on disk</dt>
        <dd>
          {count(batches.stored)} of {count(batches.total)}
        </dd>
        <dt>Started</dt>
        <dd>{moment(createdAt)}</dd>
        {rows.rejected > 0 && (
          <>
            <dt>Rejected lines</dt>
            <dd>{count(rows.rejected)}, not in the run</dd>
          </>
        )}
      </dl>
    </>
  );
}
