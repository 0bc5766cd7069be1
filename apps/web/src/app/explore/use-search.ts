/** Hook that searches a run by meaning and words, or for the rows that are most like one row. */

import type { ScoreBaseline, SearchHit } from '@embedmill/contract';
import { useEffect, useState } from 'preact/hooks';
import { requestJson } from '../api/client.ts';
import type { ExploreState } from './explore-state.ts';

/** Hits per search. */
export const MAX_HITS = 200;

/** A finished search. */
export interface SearchResult {
  hits: readonly SearchHit[];
  baseline: ScoreBaseline | null;
  seconds: number;
}

/** The last search; its result is kept while the next one is in progress. */
export interface LiveSearch {
  /** `null` without a search. */
  result: SearchResult | null;
  error: unknown;
  isLoading: boolean;
  retry: () => void;
}

const NO_SEARCH = { key: '', result: null, error: null };

/** Searches whenever the search or the filters of the state change; filters apply before the ranking. */
export function useSearch(run: string, state: ExploreState): LiveSearch {
  const body = searchBody(state);
  const key = body === null ? '' : JSON.stringify(body);
  const [live, setLive] = useState<{ key: string; result: SearchResult | null; error: unknown }>(NO_SEARCH);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (key === '') {
      setLive(NO_SEARCH);
      return;
    }
    const unmounted = new AbortController();
    const startedAt = performance.now();
    requestJson<Omit<SearchResult, 'seconds'>>(`v1/runs/${run}/search`, {
      method: 'POST',
      json: JSON.parse(key),
      signal: unmounted.signal,
    }).then(
      (result) =>
        setLive({ key, result: { ...result, seconds: (performance.now() - startedAt) / 1000 }, error: null }),
      (error) => {
        if (!unmounted.signal.aborted) setLive({ key, result: null, error });
      },
    );
    return () => unmounted.abort();
  }, [run, key, turn]);
  return {
    result: key === '' ? null : live.result,
    error: live.error,
    isLoading: live.key !== key,
    retry: () => setTurn((n) => n + 1),
  };
}

/** The body of the request; `null` without a search. */
function searchBody({ search, like, topics, filters }: ExploreState): object | null {
  if (search === '' && like === null) return null;
  const columns = Object.entries(filters).map(([name, filter]) => [
    name,
    filter.kind === 'in'
      ? { in: filter.values }
      : {
          ...(filter.from === null ? {} : { from: filter.from }),
          ...(filter.to === null ? {} : { to: filter.to }),
        },
  ]);
  const filter = {
    ...(columns.length === 0 ? {} : { columns: Object.fromEntries(columns) }),
    ...(topics.length === 0 ? {} : { topics }),
  };
  return {
    ...(like === null ? { text: search } : { like }),
    count: MAX_HITS,
    ...(Object.keys(filter).length === 0 ? {} : { filter }),
  };
}
