/** The page of one run: progress, speed, files, verdicts, options and charts. */

import type { RunInfo } from '@embedmill/contract';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { FetchError } from '../../api/errors.ts';
import { listen } from '../../api/events.ts';
import { to } from '../../router.ts';
import { PageLayout, Section } from '../../ui/page.tsx';
import { StateBadge } from '../../ui/state-badge.tsx';
import { Failure, Loading } from '../../ui/states.tsx';
import { Downloads } from './downloads.tsx';
import { MissingRows } from './missing-rows.tsx';
import { RunActions } from './run-actions.tsx';
import { RunCharts } from './run-charts.tsx';
import { RunProgressFacts } from './run-progress.tsx';
import { VerdictBreakdown } from './verdict-breakdown.tsx';

const TRUNCATE_TEXTS = { end: 'cut the end', start: 'cut the start', error: 'fail the row' } as const;

/** @param id of the run in the route */
export function RunDetailPage({ id }: { id: string }) {
  const { run, error, follow } = useRun(id);
  const title = run === null ? 'Run' : (run.options.name ?? run.id);
  return (
    <PageLayout
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
    </PageLayout>
  );
}

function RunDetails({ run }: { run: RunInfo }) {
  const missing = run.verdicts.failed + run.verdicts.empty;
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
        <RunProgressFacts run={run} />
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
            <dd>{TRUNCATE_TEXTS[run.options.truncate]}</dd>
            <dt>Cleaned</dt>
            <dd>{run.options.clean.length === 0 ? 'no' : run.options.clean.join(', ')}</dd>
            <dt>Model fingerprint</dt>
            <dd>
              {run.fingerprint === null ? 'unknown before the first batch' : <code>{run.fingerprint}</code>}
            </dd>
          </dl>
        </Section>
      </div>
      {run.state === 'completed' && missing > 0 && (
        <Section title="Rows without a vector">
          <MissingRows run={run.id} total={missing} />
        </Section>
      )}
      <RunCharts run={run} />
    </>
  );
}

/** The latest state of a run. */
interface LiveRun {
  run: RunInfo | null;
  error: unknown;
  /** Opens the event stream again: after a retry, the run is active again. */
  follow: () => void;
}

/** Follows a run over its event stream until it has ended. */
function useRun(id: string): LiveRun {
  const [run, setRun] = useState<RunInfo | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const unmounted = new AbortController();
    const onEvent = (_event: string, value: unknown) => {
      setRun(value as RunInfo);
      setError(null);
    };
    const onBreak = (reason: unknown) => {
      // A missing run stays missing; all other errors may pass.
      if (reason instanceof FetchError && reason.status === 404) unmounted.abort();
      setError(reason);
    };
    void listen(`v1/runs/${encodeURIComponent(id)}/events`, { onEvent, onBreak }, unmounted.signal);
    return () => unmounted.abort();
  }, [id, turn]);
  const follow = useCallback(() => setTurn((n) => n + 1), []);
  return { run, error, follow };
}
