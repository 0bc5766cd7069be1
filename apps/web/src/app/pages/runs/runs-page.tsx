/** The Runs page, which is the start page: figures of the fleet, runs and workers. */

import { useOverview } from '../../overview.tsx';
import { to } from '../../router.ts';
import { PageLayout, Section } from '../../ui/page.tsx';
import { Empty, Failure, Loading } from '../../ui/states.tsx';
import { FleetStats } from './fleet-stats.tsx';
import { RunsTable } from './runs-table.tsx';
import { WorkersTable } from './workers-table.tsx';

/** Renders the live overview. */
export function RunsPage() {
  const { overview, error } = useOverview();
  return (
    <PageLayout
      title="Runs"
      actions={
        <a class="button button-main" href={to('new')}>
          New run
        </a>
      }
    >
      {overview === null ? (
        error === null ? (
          <Loading what="the overview" />
        ) : (
          <Failure error={error} />
        )
      ) : (
        <>
          <FleetStats overview={overview} />
          {overview.health.problems
            .filter(({ severity }) => severity === 'advice')
            .map(({ code, sentence, remedy }) => (
              <p key={code} class="notice">
                {sentence} {remedy}
              </p>
            ))}
          <Section title="Runs">
            {overview.runs.length === 0 ? (
              <Empty title="No runs yet.">
                <p>
                  <a href={to('new')}>Upload a file</a> to embed its texts.
                </p>
              </Empty>
            ) : (
              <RunsTable overview={overview} />
            )}
          </Section>
          <Section title="Workers">
            {overview.workers.length === 0 ? (
              <Empty title="No workers are connected.">
                <p>
                  Start one on any machine that can reach the same Redis server: <code>embedmill worker</code>
                </p>
              </Empty>
            ) : (
              <WorkersTable workers={overview.workers} />
            )}
          </Section>
        </>
      )}
    </PageLayout>
  );
}
