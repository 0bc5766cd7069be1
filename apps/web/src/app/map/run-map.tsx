/** A run as a map: points by cluster, the text of the point under the pointer, and the texts of those that were selected. */

import { useMemo, useState } from 'preact/hooks';
import type { RunInfo } from '../api/types.ts';
import { count, share } from '../ui/format.ts';
import { Failure, Loading } from '../ui/states.tsx';
import { useAnswer } from '../ui/use-answer.ts';
import { clusterColor } from './colors.ts';
import { PointCanvas } from './point-canvas.tsx';
import type { PlacedRows } from './protocol.ts';
import { MOST_MAP_ROWS, useMap } from './use-map.ts';

/** A row whose text is shown. */
interface TextRow {
  row: number;
  id: string;
  text: string | null;
}

/** Selected texts that are listed. */
const MOST_LISTED = 50;

export function RunMap({ run }: { run: RunInfo }) {
  const { step, placed, error } = useMap(run);
  if (error !== null) return <Failure error={error} />;
  if (placed === null) return <Loading what={`the map: ${step}`} />;
  return <PlacedMap run={run} placed={placed} />;
}

function PlacedMap({ run, placed }: { run: RunInfo; placed: PlacedRows }) {
  const [hovered, setHovered] = useState<number | null>(null);
  const [selected, setSelected] = useState<readonly number[]>([]);
  const rows = Math.min(run.rows.accepted, MOST_MAP_ROWS);
  return (
    <>
      <p class="soft small">
        {rows < run.rows.accepted && `The first ${count(rows)} of ${count(run.rows.accepted)} rows. `}
        The two axes show {share(placed.shown, 1)} of what tells the vectors apart; the colours are clusters
        of whole vectors. Draw around points to read them.
      </p>
      <div class="map">
        <PointCanvas placed={placed} selected={selected} onHover={setHovered} onSelect={setSelected} />
        <Legend run={run} placed={placed} onSelect={setSelected} />
      </div>
      <HoveredText run={run} row={hovered} />
      {selected.length > 0 && <SelectedTexts run={run} rows={selected} onClear={() => setSelected([])} />}
    </>
  );
}

/** Also the way for those who do not draw: a cluster is selected with its button. */
function Legend({
  run,
  placed,
  onSelect,
}: {
  run: RunInfo;
  placed: PlacedRows;
  onSelect: (rows: readonly number[]) => void;
}) {
  const { value } = useAnswer<{ rows: TextRow[] }>(
    `v1/runs/${run.id}/texts?rows=${placed.examples.join(',')}`,
  );
  const members = useMemo(
    () =>
      placed.examples.map((_, cluster) =>
        Array.from(placed.clusters.keys()).filter((row) => placed.clusters[row] === cluster),
      ),
    [placed],
  );
  return (
    <ul class="legend" aria-label="Clusters">
      {members.map((rows, cluster) => (
        <li key={placed.examples[cluster]}>
          <button type="button" onClick={() => onSelect(rows)}>
            <span class="legend-dot" style={{ backgroundColor: clusterColor(cluster) }} aria-hidden="true" />
            <span class="legend-text">{value?.rows[cluster]?.text ?? `Cluster ${cluster + 1}`}</span>
            <span class="soft small">{count(rows.length)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function HoveredText({ run, row }: { run: RunInfo; row: number | null }) {
  const { value } = useAnswer<{ rows: TextRow[] }>(
    row === null ? null : `v1/runs/${run.id}/texts?rows=${row}`,
  );
  const found = value?.rows[0];
  return (
    <p class="map-text">
      {found === undefined ? (
        <span class="soft">Point at a dot to read its text.</span>
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
  const listed = rows.slice(0, MOST_LISTED);
  const { value, error } = useAnswer<{ rows: TextRow[] }>(`v1/runs/${run.id}/texts?rows=${listed.join(',')}`);
  return (
    <div>
      <div class="card-head">
        <h3>
          {count(rows.length)} selected
          {rows.length > listed.length && `, the first ${listed.length}`}
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
