/** Map of a run: points coloured by cluster or label, the text under the pointer, and the selected texts. */

import type { RunInfo } from '@embedmill/contract';
import { useMemo, useState } from 'preact/hooks';
import { count, share } from '../ui/format.ts';
import { Failure, Loading } from '../ui/states.tsx';
import { useResource } from '../ui/use-resource.ts';
import { groupColor } from './colors.ts';
import type { PointGroups } from './labels.ts';
import { PointCanvas } from './point-canvas.tsx';
import type { PlacedRows } from './protocol.ts';
import { MAX_MAP_ROWS, useMap } from './use-map.ts';

/** A row with its text, as the API returns it. */
interface TextRow {
  row: number;
  id: string;
  text: string | null;
}

/** Maximum number of selected texts in the list. */
const MAX_LISTED = 50;

/** Renders the map of a completed run. */
export function RunMap({ run }: { run: RunInfo }) {
  const { step, placed, labels, error } = useMap(run);
  if (error !== null) return <Failure error={error} />;
  if (placed === null) return <Loading what={`the map: ${step}`} />;
  return <PlacedMap run={run} placed={placed} labels={labels} />;
}

function PlacedMap({
  run,
  placed,
  labels,
}: {
  run: RunInfo;
  placed: PlacedRows;
  labels: PointGroups | null;
}) {
  const [hovered, setHovered] = useState<number | null>(null);
  const [selected, setSelected] = useState<readonly number[]>([]);
  const [byLabel, setByLabel] = useState(false);
  const clusters = useClusters(run, placed);
  const groups = byLabel && labels !== null ? labels : clusters;
  const rows = Math.min(run.rows.accepted, MAX_MAP_ROWS);
  return (
    <>
      <p class="soft small">
        {rows < run.rows.accepted && `The first ${count(rows)} of ${count(run.rows.accepted)} rows. `}
        The two axes show {share(placed.shown, 1)} of the variance; clusters are computed from the whole
        vectors. Draw around points to select them.
      </p>
      {labels !== null && (
        <label class="map-choice">
          <input
            type="checkbox"
            checked={byLabel}
            onChange={(event) => setByLabel(event.currentTarget.checked)}
          />
          Colour by id prefix
        </label>
      )}
      <div class="map">
        <PointCanvas
          placed={placed}
          groups={groups}
          selected={selected}
          onHover={setHovered}
          onSelect={setSelected}
        />
        <Legend groups={groups} title={groups === clusters ? 'Clusters' : 'Labels'} onSelect={setSelected} />
      </div>
      <HoveredText run={run} row={hovered} />
      {selected.length > 0 && <SelectedTexts run={run} rows={selected} onClear={() => setSelected([])} />}
    </>
  );
}

/** The clusters, each named after the text nearest to its centroid. */
function useClusters(run: RunInfo, placed: PlacedRows): PointGroups {
  const { value } = useResource<{ rows: TextRow[] }>(
    `v1/runs/${run.id}/texts?rows=${placed.examples.join(',')}`,
  );
  return useMemo(
    () => ({
      groupOf: placed.clusters,
      names: placed.examples.map((_, cluster) => value?.rows[cluster]?.text ?? `Cluster ${cluster + 1}`),
    }),
    [placed, value],
  );
}

/** The groups; each is a button that selects its rows, which also works without a pointer. */
function Legend({
  groups,
  title,
  onSelect,
}: {
  groups: PointGroups;
  title: string;
  onSelect: (rows: readonly number[]) => void;
}) {
  const members = useMemo(() => {
    const rows: number[][] = groups.names.map(() => []);
    for (const [row, group] of groups.groupOf.entries()) rows[group]?.push(row);
    return rows;
  }, [groups]);
  return (
    <ul class="legend" aria-label={title}>
      {members.map((rows, group) => (
        <li key={`${group} ${groups.names[group]}`}>
          <button type="button" onClick={() => onSelect(rows)}>
            <span class="legend-dot" style={{ backgroundColor: groupColor(group) }} aria-hidden="true" />
            <span class="legend-text">{groups.names[group]}</span>
            <span class="soft small">{count(rows.length)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function HoveredText({ run, row }: { run: RunInfo; row: number | null }) {
  const { value } = useResource<{ rows: TextRow[] }>(
    row === null ? null : `v1/runs/${run.id}/texts?rows=${row}`,
  );
  const found = value?.rows[0];
  return (
    <p class="map-text">
      {found === undefined ? (
        <span class="soft">Hover over a point to read its text.</span>
      ) : (
        <>
          <code>{found.id}</code> {found.text}
        </>
      )}
    </p>
  );
}

function SelectedTexts({
  run,
  rows,
  onClear,
}: {
  run: RunInfo;
  rows: readonly number[];
  onClear: () => void;
}) {
  const listed = rows.slice(0, MAX_LISTED);
  const { value, error } = useResource<{ rows: TextRow[] }>(
    `v1/runs/${run.id}/texts?rows=${listed.join(',')}`,
  );
  return (
    <div>
      <div class="card-head">
        <h3>
          {count(rows.length)} selected
          {rows.length > listed.length && `, showing the first ${listed.length}`}
        </h3>
        <button type="button" class="button" onClick={onClear}>
          Clear
        </button>
      </div>
      {error !== null && <Failure error={error} />}
      <ol class="selected">
        {value?.rows.map(({ row, id, text }) => (
          <li key={row}>
            <code>{id}</code> {text}
          </li>
        ))}
      </ol>
    </div>
  );
}
