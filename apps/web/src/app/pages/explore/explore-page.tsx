/** The Explore page: what the texts of a completed run say, as a map, topics, a search and a table. */

import type { RunInfo } from '@embedmill/contract';
import { useExplorer } from '../../explore/use-explorer.ts';
import { go, to } from '../../router.ts';
import { count } from '../../ui/format.ts';
import { PageLayout } from '../../ui/page.tsx';
import { Empty, Failure, Loading } from '../../ui/states.tsx';
import { useResource } from '../../ui/use-resource.ts';
import { Chips } from './chips.tsx';
import { ExportMenu } from './export-menu.tsx';
import { MainView } from './main-view.tsx';
import { RowTable } from './row-table.tsx';
import { SearchForm } from './search-form.tsx';
import { SidePanel } from './side-panel.tsx';

/** @param id of the run in the route; `null`: the newest run with vectors */
export function ExplorePage({ id }: { id: string | null }) {
  const { value, error, reload } = useResource<{ runs: RunInfo[] }>('v1/runs?state=completed&limit=200');
  const runs = value?.runs.filter(({ verdicts }) => verdicts.ok + verdicts.truncated > 0) ?? [];
  const run = runs.find((each) => each.id === (id ?? runs[0]?.id));
  if (run !== undefined) return <RunExplorer key={run.id} run={run} runs={runs} />;
  return (
    <PageLayout title="Explore" lead="What your texts say: topics, a map, a search and every text.">
      {value === null &&
        (error === null ? <Loading what="the runs" /> : <Failure error={error} onRetry={reload} />)}
      {value !== null && runs.length === 0 && (
        <Empty title="No completed runs to explore.">
          <p>
            <a href={to('new')}>Start one</a> and come back when it is completed.
          </p>
        </Empty>
      )}
      {runs.length > 0 && <RunSelect runs={runs} chosen="" />}
      {runs.length > 0 && <Empty title="This run is not completed or was deleted." />}
    </PageLayout>
  );
}

function RunExplorer({ run, runs }: { run: RunInfo; runs: readonly RunInfo[] }) {
  const explorer = useExplorer(run);
  return (
    <div class="explore">
      <PageLayout
        title="Explore"
        lead={<RunSelect runs={runs} chosen={run.id} />}
        actions={
          <>
            <a class="button" href={to('runs', run.id)}>
              Summary
            </a>
            <ExportMenu explorer={explorer} />
          </>
        }
      >
        <div class="explore-bar">
          <SearchForm explorer={explorer} />
          <Chips explorer={explorer} />
        </div>
        <div class="explore-body">
          <MainView explorer={explorer} />
          <SidePanel explorer={explorer} />
          <RowTable explorer={explorer} />
        </div>
      </PageLayout>
    </div>
  );
}

function RunSelect({ runs, chosen }: { runs: readonly RunInfo[]; chosen: string }) {
  return (
    <label class="run-choice">
      Run
      <select value={chosen} onChange={(event) => go('explore', event.currentTarget.value)}>
        {chosen === '' && <option value="">Choose a run</option>}
        {runs.map(({ id, options, rows }) => (
          <option key={id} value={id}>
            {options.name ?? id}, {count(rows.accepted)} {rows.accepted === 1 ? 'row' : 'rows'}
          </option>
        ))}
      </select>
    </label>
  );
}
