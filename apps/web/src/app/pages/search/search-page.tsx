/** Asks a completed run for the texts that mean the same as a question, and shows the run as a map. */

import type { RunInfo } from '@embedmill/contract';
import { useState } from 'preact/hooks';
import { go, to } from '../../router.ts';
import { count } from '../../ui/format.ts';
import { Page, Section } from '../../ui/page.tsx';
import { Empty, Failure, Loading } from '../../ui/states.tsx';
import { useAnswer } from '../../ui/use-answer.ts';
import { MapLoader } from './map-loader.tsx';
import { SearchBox } from './search-box.tsx';

/** Fewer points make no map. */
const MIN_MAP_ROWS = 10;

/** @param id the run of the address; `null`: the newest that can be searched */
export function SearchPage({ id }: { id: string | null }) {
  const { value, error, again } = useAnswer<{ runs: RunInfo[] }>('v1/runs?state=completed&limit=200');
  const runs = value?.runs.filter(({ verdicts }) => verdicts.ok + verdicts.truncated > 0) ?? [];
  const run = runs.find((each) => each.id === (id ?? runs[0]?.id));
  return (
    <Page
      title="Search"
      lead="Search by meaning: the rows with the nearest vectors, even if they use other words."
    >
      {value === null &&
        (error === null ? <Loading what="the runs" /> : <Failure error={error} onRetry={again} />)}
      {value !== null && runs.length === 0 && (
        <Empty title="No completed runs to search.">
          <p>
            <a href={to('new')}>Start one</a> and come back when it is completed.
          </p>
        </Empty>
      )}
      {runs.length > 0 && <RunChoice runs={runs} chosen={run?.id ?? ''} />}
      {runs.length > 0 && run === undefined && <Empty title="This run is not completed or was deleted." />}
      {run !== undefined && <RunSearch key={run.id} run={run} />}
    </Page>
  );
}

function RunChoice({ runs, chosen }: { runs: readonly RunInfo[]; chosen: string }) {
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
