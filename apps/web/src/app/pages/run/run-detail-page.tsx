/** The page of one run: what its texts say once it is completed, its files, and how it was processed. */

import type { RunInfo } from '@embedmill/contract';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { FetchError } from '../../api/errors.ts';
import { listen } from '../../api/events.ts';
import { to } from '../../router.ts';
import { count, plural } from '../../ui/format.ts';
import { Lazy } from '../../ui/lazy.tsx';
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

/** Loaded on demand: the map is not part of the first load. */
const loadSummary = () => import('./texts-summary.tsx').then(({ TextsSummary }) => TextsSummary);

/**
 * @param id of the run in the route
 * @param part of the page: `details` for how the run was processed, anything else for what its texts say
 */
export function RunDetailPage({ id, part }: { id: string; part: string | null }) {
  const { run, error, follow } = useRun(id);
  const title = run === null ? 'Run' : (run.options.name ?? run.id);
  return (
    <PageLayout
      title={title}
      lead={
        <>
          <a href={to('runs')}>Runs</a> › <code>{id}</code> {run !== null && <StateBadge state={run.state} />}
        </>
      }
      actions={run !== null && <RunActions run={run} onChange={follow} />}
    >
      {run === null && error === null && <Loading what="the run" />}
      {run === null && error !== null && <Failure error={error} />}
      {run !== null && <RunNotices run={run} />}
      {run !== null && hasTexts(run) && (
        <ul class="view-tabs" aria-label="Parts of the run">
          <li>
            <a href={to('runs', id)} aria-current={part === 'details' ? undefined : 'page'}>
              What the texts say
            </a>
          </li>
          <li>
            <a href={to('runs', id, 'details')} aria-current={part === 'details' ? 'page' : undefined}>
              Processing
            </a>
          </li>
        </ul>
      )}
      {run !== null &&
        (hasTexts(run) && part !== 'details' ? <RunTexts run={run} /> : <RunDetails run={run} />)}
    </PageLayout>
  );
}

/** Whether there is something to say about the texts. */
function hasTexts(run: RunInfo): boolean {
  return run.state === 'completed' && run.verdicts.ok + run.verdicts.truncated > 0;
}

/** Problems of the run, above both parts. */
function RunNotices({ run }: { run: RunInfo }) {
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
      {run.languageSignal !== null && <p class="notice notice-warn">{run.languageSignal}.</p>}
      {hasTexts(run) && missing > 0 && (
        <p class="soft">
          {count(missing)} of {count(run.rows.accepted)} {plural(run.rows.accepted, 'row')}{' '}
          {missing === 1 ? 'has' : 'have'} no vector. <a href={to('runs', run.id, 'details')}>See why</a>
        </p>
      )}
    </>
  );
}

/** What the texts say, and the files. */
function RunTexts({ run }: { run: RunInfo }) {
  return (
    <>
      <Lazy what="the topics" load={loadSummary} props={{ run }} />
      <Section title="Files">
        <Downloads run={run} />
      </Section>
    </>
  );
}

/** How the run is or was processed. */
function RunDetails({ run }: { run: RunInfo }) {
  const missing = run.verdicts.failed + run.verdicts.empty;
  return (
    <>
      <Section title="Progress">
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
