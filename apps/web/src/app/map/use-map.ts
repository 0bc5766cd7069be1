/** Hook that fetches the vectors and ids of a run and computes its map in a web worker. */

import type { RunInfo } from '@embedmill/contract';
import { useEffect, useState } from 'preact/hooks';
import { request } from '../api/client.ts';
import { groupByLabel, type PointGroups } from './labels.ts';
import type { MapReply, MapRequest, PlacedRows } from './protocol.ts';

/** Maximum rows of a map: 30 MB of vectors, and about as many points as a reader can distinguish. */
export const MAX_MAP_ROWS = 20_000;

/** One per colour. */
const MAX_CLUSTERS = 8;

/** Position of the header length, after the magic string and the version. */
const HEADER_LENGTH_AT = 8;
const MAX_HEADER_BYTES = 1024;

/** The state of a map; `placed` is `null` until it is computed. */
export interface MapState {
  /** What is being done now, such as `finding clusters`. */
  step: string;
  placed: PlacedRows | null;
  /** Groups by id label; `null` if the ids have no labels. */
  labels: PointGroups | null;
  error: unknown;
}

const EMPTY: MapState = { step: '', placed: null, labels: null, error: null };

/** Computes the map of a completed run; starts over when `run` changes. */
export function useMap(run: RunInfo): MapState {
  const [map, setMap] = useState<MapState>({ ...EMPTY, step: 'fetching the vectors' });
  useEffect(() => {
    const unmounted = new AbortController();
    const fail = (error: unknown) => setMap({ ...EMPTY, error });
    const thread = new Worker(new URL('./map-thread.ts', import.meta.url), { type: 'module' });
    thread.onmessage = ({ data }: MessageEvent<MapReply>) => {
      if (data.kind === 'progress') setMap((known) => ({ ...known, step: data.step }));
      else if (data.kind === 'placed') setMap((known) => ({ ...known, placed: data.placed }));
      else fail(new Error(data.message));
    };
    thread.onerror = (event) => fail(new Error(event.message || 'the map failed'));
    fetchVectors(run, unmounted.signal).then(
      (message) => thread.postMessage(message, [message.vectors.buffer]),
      (error) => {
        if (!unmounted.signal.aborted) fail(error);
      },
    );
    fetchIds(run, MAX_MAP_ROWS, unmounted.signal).then(
      (ids) => setMap((known) => ({ ...known, labels: groupByLabel(ids) })),
      (error) => {
        if (!unmounted.signal.aborted) fail(error);
      },
    );
    return () => {
      unmounted.abort();
      thread.terminate();
    };
  }, [run]);
  return map;
}

/** Fetches the first rows of the .npy file; its header contains its own length (NumPy format 1.0). */
async function fetchVectors(run: RunInfo, signal: AbortSignal): Promise<MapRequest> {
  const dim = run.dim ?? 0;
  const rows = Math.min(run.rows.accepted, MAX_MAP_ROWS);
  const response = await request(`v1/runs/${run.id}/results?format=npy`, {
    range: `bytes=0-${MAX_HEADER_BYTES + rows * dim * 4}`,
    signal,
  });
  const bytes = await response.arrayBuffer();
  const start = HEADER_LENGTH_AT + 2 + new DataView(bytes).getUint16(HEADER_LENGTH_AT, true);
  return {
    rows,
    dim,
    vectors: new Float32Array(bytes.slice(start, start + rows * dim * 4)),
    clusters: MAX_CLUSTERS,
  };
}

/** Fetches the ids of the first rows; the rest of the response is not read. */
async function fetchIds(run: RunInfo, rows: number, signal: AbortSignal): Promise<string[]> {
  const response = await request(`v1/runs/${run.id}/ids`, { signal });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const ids: string[] = [];
  let text = '';
  while (ids.length < rows) {
    const { done, value } = await reader.read();
    if (done) break;
    text += value;
    const lines = text.split('\n');
    text = lines.pop()!;
    for (const line of lines) ids.push((JSON.parse(line) as { id: string }).id);
  }
  await reader.cancel();
  return ids.slice(0, rows);
}
