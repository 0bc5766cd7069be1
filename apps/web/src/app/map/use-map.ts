/** Fetches the vectors of a run and has a thread place them. */

import type { RunInfo } from '@embedmill/contract';
import { useEffect, useState } from 'preact/hooks';
import { request } from '../api/client.ts';
import { fetchIds } from './fetch-ids.ts';
import { groupByLabel, type PointGroups } from './labels.ts';
import type { MapReply, MapRequest, PlacedRows } from './protocol.ts';

/** Rows of a map: 30 MB of vectors, and as many points as one can tell apart. */
export const MAX_MAP_ROWS = 20_000;

const CLUSTERS = 8;

/** After the magic string and the version. */
const HEADER_LENGTH_AT = 8;
const MAX_HEADER_BYTES = 1024;

/** A map on its way. */
export interface LiveMap {
  step: string;
  placed: PlacedRows | null;
  /** By the labels of the ids, if they hold any. */
  labels: PointGroups | null;
  error: unknown;
}

const NOTHING: LiveMap = { step: '', placed: null, labels: null, error: null };

export function useMap(run: RunInfo): LiveMap {
  const [map, setMap] = useState<LiveMap>({ ...NOTHING, step: 'fetching the vectors' });
  useEffect(() => {
    const leaving = new AbortController();
    const fail = (error: unknown) => setMap({ ...NOTHING, error });
    const thread = new Worker(new URL('./map-thread.ts', import.meta.url), { type: 'module' });
    thread.onmessage = ({ data }: MessageEvent<MapReply>) => {
      if (data.kind === 'progress') setMap((known) => ({ ...known, step: data.step }));
      else if (data.kind === 'placed') setMap((known) => ({ ...known, placed: data.placed }));
      else fail(new Error(data.message));
    };
    thread.onerror = (event) => fail(new Error(event.message || 'the map failed'));
    fetchVectors(run, leaving.signal).then(
      (asked) => thread.postMessage(asked, [asked.vectors.buffer]),
      (error) => {
        if (!leaving.signal.aborted) fail(error);
      },
    );
    fetchIds(run, MAX_MAP_ROWS, leaving.signal).then(
      (ids) => setMap((known) => ({ ...known, labels: groupByLabel(ids) })),
      (error) => {
        if (!leaving.signal.aborted) fail(error);
      },
    );
    return () => {
      leaving.abort();
      thread.terminate();
    };
  }, [run]);
  return map;
}

/** The first rows of the run's .npy file, whose header says how long it is itself (NumPy format 1.0). */
async function fetchVectors(run: RunInfo, signal: AbortSignal): Promise<MapRequest> {
  const dim = run.dim ?? 0;
  const rows = Math.min(run.rows.accepted, MAX_MAP_ROWS);
  const answer = await request(`v1/runs/${run.id}/results?format=npy`, {
    range: `bytes=0-${MAX_HEADER_BYTES + rows * dim * 4}`,
    signal,
  });
  const bytes = await answer.arrayBuffer();
  const start = HEADER_LENGTH_AT + 2 + new DataView(bytes).getUint16(HEADER_LENGTH_AT, true);
  return {
    rows,
    dim,
    vectors: new Float32Array(bytes.slice(start, start + rows * dim * 4)),
    clusters: CLUSTERS,
  };
}
