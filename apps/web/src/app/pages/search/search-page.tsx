/** The Search page: search of a completed run by meaning, and its map. */

import type { RunInfo } from '@embedmill/contract';
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { go, to } from '../../router.ts';
import { count } from '../../ui/format.ts';
import { PageLayout, Section } from '../../ui/page.tsx';
import { Empty, Failure, Loading } from '../../ui/states.tsx';
import { useResource } from '../../ui/use-resource.ts';
import { SearchBox } from './search-box.tsx';

/** With fewer points a map is not useful. */
const MIN_MAP_ROWS = 10;

/** @param id of the run in the route; `null`: the newest run with vectors */
export function SearchPage({ id }: { id: string | null }) {
  const { value, error, reload } = useResource<{ runs: RunInfo[] }>('v1/runs?state=completed&limit=200');
  const runs = value?.runs.filter(({ verdicts }) => verdicts.ok + verdicts.truncated > 0) ?? [];
  const run = runs.find((each) => each.id === (id ?? runs[0]?.id));
  return (
    <PageLayout
      title="Search"
      lead="Search by meaning and words: the rows with the nearest vectors, even if they use other words, and those that use the same."
    >
      {value === null &&
        (error === null ? <Loading what="the runs" /> : <Failure error={error} onRetry={reload} />)}
      {value !== null && runs.length === 0 && (
        <Empty title="No completed runs to search.">
          <p>
            <a href={to('new')}>Start one</a> and come back when it is completed.
          </p>
        </Empty>
      )}
      {runs.length > 0 && <RunSelect runs={runs} chosen={run?.id ?? ''} />}
      {runs.length > 0 && run === undefined && <Empty title="This run is not completed or was deleted." />}
      {run !== undefined && <RunSearch key={run.id} run={run} />}
    </PageLayout>
  );
}

function RunSelect({ runs, chosen }: { runs: readonly RunInfo[]; chosen: string }) {
  return (
    <label class="run-choice">
      Run
      <select value={chosen} onChange={(event) => go('search', event.currentTarget.value)}>
        {runs.map(({ id, options, rows }) => (
          <option key={id} value={id}>
            {options.name ?? id}, {count(rows.accepted)} rows
          </option>
        ))}
      </select>
    </label>
  );
}

function RunSearch({ run }: { run: RunInfo }) {
  const [showsMap, setShowsMap] = useState(false);
  return (
    <>
      <SearchBox run={run} />
      {run.verdicts.ok + run.verdicts.truncated >= MIN_MAP_ROWS && (
        <Section title="Map">
          {showsMap ? (
            <MapLoader run={run} />
          ) : (
            <div>
              <p class="soft">
                Shows every text as a point, with similar texts near each other. Takes a few seconds and
                downloads up to 30 MB.
              </p>
              <p class="actions actions-below">
                <button type="button" class="button" onClick={() => setShowsMap(true)}>
                  Draw the map
                </button>
              </p>
            </div>
          )}
        </Section>
      )}
    </>
  );
}

/** Loads the code of the map on demand: it is not part of the first load. */
function MapLoader({ run }: { run: RunInfo }) {
  // Wrapped in an object, because useState would call a function.
  const [loaded, setLoaded] = useState<{ RunMap: ComponentType<{ run: RunInfo }> } | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    import('../../map/run-map.tsx').then(setLoaded, setError);
  }, []);
  if (error !== null) return <Failure error={error} />;
  return loaded === null ? <Loading what="the map" /> : <loaded.RunMap run={run} />;
}
