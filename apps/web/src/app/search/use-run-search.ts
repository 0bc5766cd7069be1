/** Searches a run; a new search aborts the one in progress. */

import type { SearchAnswer, SearchQuery } from '@embedmill/contract';
import { useEffect, useRef, useState } from 'preact/hooks';
import { requestJson } from '../api/client.ts';

/** The state of the last search. */
export interface RunSearch {
  /** The search that `found` and `error` belong to; `null` before the first one. */
  query: SearchQuery | null;
  found: (SearchAnswer & { totalMs: number }) | null;
  error: unknown;
  isSearching: boolean;
  search: (query: SearchQuery) => Promise<void>;
  clear: () => void;
}

/** The searches of one run; they end with the component. */
export function useRunSearch(run: string): RunSearch {
  const [query, setQuery] = useState<SearchQuery | null>(null);
  const [found, setFound] = useState<RunSearch['found']>(null);
  const [error, setError] = useState<unknown>(null);
  const [isSearching, setIsSearching] = useState(false);
  const controller = useRef(new AbortController());
  useEffect(() => () => controller.current.abort(), []);
  const search = async (wanted: SearchQuery) => {
    controller.current.abort();
    controller.current = new AbortController();
    const { signal } = controller.current;
    setIsSearching(true);
    setError(null);
    setQuery(wanted);
    const startedAt = performance.now();
    try {
      const result = await requestJson<SearchAnswer>(`v1/runs/${run}/search`, {
        method: 'POST',
        json: wanted,
        signal,
      });
      if (signal.aborted) return;
      setFound({ ...result, totalMs: performance.now() - startedAt });
    } catch (reason) {
      if (signal.aborted) return;
      setError(reason);
    }
    setIsSearching(false);
  };
  const clear = () => {
    controller.current.abort();
    setQuery(null);
    setFound(null);
    setError(null);
    setIsSearching(false);
  };
  return { query, found, error, isSearching, search, clear };
}
