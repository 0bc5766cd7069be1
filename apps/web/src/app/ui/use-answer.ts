/** Asks the API for what a part of a page shows, and asks again when told to. */

import { useCallback, useEffect, useState } from 'preact/hooks';
import { ask } from '../api/client.ts';

/** What is known so far; a failed repetition keeps the last answer. */
export interface Answered<Value> {
  value: Value | null;
  error: unknown;
  again: () => void;
}

/**
 * @param path as for `ask`; `null` asks nothing
 * @param version asked again whenever it changes
 */
export function useAnswer<Value>(path: string | null, version: unknown = 0): Answered<Value> {
  const [state, setState] = useState<{ path: string | null; value: Value | null; error: unknown }>({
    path,
    value: null,
    error: null,
  });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (path === null) return;
    const leaving = new AbortController();
    ask<Value>(path, { signal: leaving.signal }).then(
      (value) => setState({ path, value, error: null }),
      (error) => {
        if (leaving.signal.aborted) return;
        setState((known) => ({ path, value: known.path === path ? known.value : null, error }));
      },
    );
    return () => leaving.abort();
  }, [path, version, turn]);
  const again = useCallback(() => setTurn((n) => n + 1), []);
  return { value: state.path === path ? state.value : null, error: state.error, again };
}
