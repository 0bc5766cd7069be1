/** Hooks that start the analysis of a run, follow it and fetch its results. */

import type { AnalysisStatus, RunTopics } from '@embedmill/contract';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { request, requestJson } from '../api/client.ts';

/** Time between two requests while the analysis runs. */
const POLL_MS = 700;

/** The analysis as it is now. */
export interface LiveAnalysis {
  status: AnalysisStatus | null;
  error: unknown;
  /** Requests the analysis again, after it failed. */
  retry: () => void;
}

/** Requests the analysis of a completed run, which changes nothing if there is one, and follows it to its end. */
export function useAnalysis(run: string): LiveAnalysis {
  const [live, setLive] = useState<Omit<LiveAnalysis, 'retry'>>({ status: null, error: null });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const unmounted = new AbortController();
    const { signal } = unmounted;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const path = `v1/runs/${run}/analysis`;
    const receive = (status: AnalysisStatus) => {
      setLive({ status, error: null });
      if (status.state === 'waiting' || status.state === 'running') {
        timer = setTimeout(() => requestJson<AnalysisStatus>(path, { signal }).then(receive, fail), POLL_MS);
      }
    };
    const fail = (error: unknown) => {
      if (!signal.aborted) setLive((known) => ({ ...known, error }));
    };
    requestJson<AnalysisStatus>(path, { method: 'POST', json: {}, signal }).then(receive, fail);
    return () => {
      unmounted.abort();
      clearTimeout(timer);
    };
  }, [run, turn]);
  return { ...live, retry: useCallback(() => setTurn((n) => n + 1), []) };
}

/** The results of an analysis. */
export interface AnalysisResults extends RunTopics {
  /** x and y of each row on the map, interleaved; NaN without a vector. */
  points: Float32Array;
  /** Topic of each row; −1 for none. */
  topicOf: Int16Array;
  /** Cosine of each row to the centre of its topic. */
  scores: Float32Array;
}

/** The results, or why they are missing. */
export interface LoadedResults {
  results: AnalysisResults | null;
  error: unknown;
  reload: () => void;
  /** Renames a topic; `null` gives it its computed name again. Throws like `request`. */
  rename: (topic: number, name: string | null) => Promise<void>;
}

/** Fetches the results once the analysis is ready. */
export function useResults(run: string, isReady: boolean): LoadedResults {
  const [results, setResults] = useState<AnalysisResults | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (!isReady) return;
    const unmounted = new AbortController();
    fetchResults(run, unmounted.signal).then(
      (loaded) => {
        setResults(loaded);
        setError(null);
      },
      (reason) => {
        if (!unmounted.signal.aborted) setError(reason);
      },
    );
    return () => unmounted.abort();
  }, [run, isReady, turn]);
  const rename = useCallback(
    async (topic: number, name: string | null) => {
      await request(`v1/runs/${run}/topics/${topic}`, { method: 'PATCH', json: { name } });
      const list = await requestJson<RunTopics>(`v1/runs/${run}/topics`);
      setResults((known) => known && { ...known, ...list });
    },
    [run],
  );
  return { results, error, reload: useCallback(() => setTurn((n) => n + 1), []), rename };
}

async function fetchResults(run: string, signal: AbortSignal): Promise<AnalysisResults> {
  const bytes = async (path: string) => (await request(`v1/runs/${run}/${path}`, { signal })).arrayBuffer();
  const [list, map, rows] = await Promise.all([
    requestJson<RunTopics>(`v1/runs/${run}/topics`, { signal }),
    bytes('map'),
    bytes('topics/rows'),
  ]);
  const count = map.byteLength / 8;
  return {
    ...list,
    points: new Float32Array(map),
    scores: new Float32Array(rows, 0, count),
    topicOf: new Int16Array(rows, 4 * count, count),
  };
}
