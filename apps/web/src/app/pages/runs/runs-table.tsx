/** Table of runs, newest first; older ones are loaded on request. */

import type { RunInfo } from '@embedmill/contract';
import { useState } from 'preact/hooks';
import { requestJson } from '../../api/client.ts';
import type { Overview } from '../../api/types.ts';
import { to } from '../../router.ts';
import { Breakable } from '../../ui/breakable.tsx';
import { Bar } from '../../ui/figures.tsx';
import { bytes, count, duration, moment, rate } from '../../ui/format.ts';
import { StateBadge } from '../../ui/state-badge.tsx';
import { Failure } from '../../ui/states.tsx';
import { Verdicts } from '../../ui/verdicts.tsx';

/** Runs per request for older ones. */
const PAGE_RUNS = 50;

/** Renders the newest runs of the overview, live, and the older ones that were loaded. */
export function RunsTable({ overview }: { overview: Overview }) {
  const [older, setOlder] = useState<RunInfo[]>([]);
  const [error, setError] = useState<unknown>(null);
  const newest = new Set(overview.runs.map(({ id }) => id));
  const shown = [...overview.runs, ...older.filter(({ id }) => !newest.has(id))];
  const total = Object.values(overview.runCounts).reduce((sum, n) => sum + n, 0);
  const showOlder = () =>
    requestJson<{ runs: RunInfo[] }>(`v1/runs?limit=${PAGE_RUNS}&after=${shown.at(-1)!.id}`).then(
      ({ runs }) => {
        setError(null);
        setOlder([...older, ...runs]);
      },
      setError,
    );
  return (
    <>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Run</th>
              <th scope="col">State</th>
              <th scope="col">Rows</th>
              <th scope="col" class="number wide-only">
                Rows/s
              </th>
              <th scope="col" class="wide-only">
                Verdicts
              </th>
              <th scope="col" class="number wide-only">
                Size
              </th>
              <th scope="col" class="wide-only">
                Started
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((run) => (
              <RunRow key={run.id} run={run} />
            ))}
          </tbody>
        </table>
      </div>
      {error !== null && <Failure error={error} />}
      {shown.length < total && (
        <p>
          <button type="button" class="button" onClick={showOlder}>
            Show older runs ({count(total - shown.length)} more)
          </button>
        </p>
      )}
    </>
  );
}

function RunRow({ run }: { run: RunInfo }) {
  const { id, options, rows, state, rowsPerSecond, etaSeconds, verdicts, createdAt } = run;
  const isActive = state === 'open' || state === 'sealed';
  return (
    <tr>
      <th scope="row">
        <a href={to('runs', id)}>
          <Breakable name={options.name ?? id} />
        </a>
      </th>
      <td>
        <StateBadge state={state} />
      </td>
      <td>
        <span class="nowrap">
          {count(rows.done)}
          {rows.done !== rows.accepted && <span class="soft"> of {count(rows.accepted)}</span>}
        </span>
        {isActive && (
          <Bar name={`Rows done of ${options.name ?? id}`} value={rows.done} whole={rows.accepted} />
        )}
        {isActive && etaSeconds !== null && rows.done < rows.accepted && (
          <span class="soft small">{duration(etaSeconds)} left</span>
        )}
      </td>
      <td class="number wide-only">{rate(rowsPerSecond)}</td>
      <td class="wide-only">
        <Verdicts verdicts={verdicts} />
      </td>
      <td class="number nowrap wide-only">{bytes(run.bytes)}</td>
      <td class="soft nowrap wide-only">{moment(createdAt)}</td>
    </tr>
  );
}
