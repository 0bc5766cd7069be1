/** One run: how far it is, how fast, what became of its rows, and its files. */

import type { RunInfo } from '@embedmill/contract';
import { to } from '../../router.ts';
import { Page, Section } from '../../ui/page.tsx';
import { StateBadge } from '../../ui/state-badge.tsx';
import { Failure, Loading } from '../../ui/states.tsx';
import { Downloads } from './downloads.tsx';
import { RunActions } from './run-actions.tsx';
import { RunCharts } from './run-charts.tsx';
import { RunProgress } from './run-progress.tsx';
import { useRun } from './use-run.ts';
import { VerdictBreakdown } from './verdict-breakdown.tsx';

export function RunPage({ id }: { id: string }) {
  const { run, error, follow } = useRun(id);
  const title = run === null ? 'Run' : (run.options.name ?? run.id);
  return (
    <Page
      title={title}
      lead={
        <>
          <a href={to('runs')}>Runs</a> › <code>{id}</code>
        </>
      }
      actions={run !== null && <RunActions run={run} onChange={follow} />}
    >
      {run === null && error === null && <Loading what="the run" />}
      {run === null && error !== null && <Failure error={error} />}
      {run !== null && <RunDetails run={run} />}
    </Page>
  );
}

function RunDetails({ run }: { run: RunInfo }) {
  return (
    <>
      {run.error !== null && (
        <p class="notice notice-bad">
          {run.endedAt === null && run.state !== 'failed' ? 'This run is set aside' : 'This run failed'}:{' '}
          {run.error}.
        </p>
      )}
      {run.waitsFor !== null && <p class="notice">This run has not finished: {run.waitsFor}.</p>}
      <Section title="Progress" aside={<StateBadge state={run.state} />}>
        <RunProgress run={run} />
      </Section>
      {run.state === 'completed' && (
        <Section title="Files">
          <Downloads run={run} />
        </Section>
      )}
      <div class="columns">
        <Section title="Verdicts">
          <VerdictBreakdown run={run} />
        </Section>
        <Section title="Options">
          <dl class="facts">
            <dt>Model</dt>
            <dd>{run.options.model}</dd>
            <dt>Precision</dt>
            <dd>{run.options.precision}</dd>
            <dt>Texts over the limit</dt>
            <dd>{LONGER_TEXTS[run.options.truncate]}</dd>
            <dt>Cleaned</dt>
            <dd>{run.options.clean.length === 0 ? 'no' : run.options.clean.join(', ')}</dd>
            <dt>Model fingerprint</dt>
            <dd>
              {run.fingerprint === null ? 'unknown before the first batch' : <code>{run.fingerprint}</code>}
            </dd>
          </dl>
        </Section>
      </div>
      <RunCharts run={run} />
    </>
  );
}

const LONGER_TEXTS = { end: 'cut the end', start: 'cut the start', error: 'fail the row' } as const;
