/** Hook that fetches JSON from the API for a component. */

import { useCallback, useEffect, useState } from 'preact/hooks';
import { requestJson } from '../api/client.ts';

/** The last response and the last error; a failed reload keeps the last response. */
export interface Resource<Value> {
  value: Value | null;
  error: unknown;
  reload: () => void;
}

/**
 * Fetches a resource when the component appears, and again when the path or the version changes.
 * @param path as for `request`; `null` fetches nothing
 */
export function useResource<Value>(path: string | null, version: unknown = 0): Resource<Value> {
  const [state, setState] = useState<{ path: string | null; value: Value | null; error: unknown }>({
    path,
    value: null,
    error: null,
  });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (path === null) return;
    const unmounted = new AbortController();
    requestJson<Value>(path, { signal: unmounted.signal }).then(
      (value) => setState({ path, value, error: null }),
      (error) => {
        if (unmounted.signal.aborted) return;
        setState((known) => ({ path, value: known.path === path ? known.value : null, error }));
      },
    );
    return () => unmounted.abort();
  }, [path, version, turn]);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  return { value: state.path === path ? state.value : null, error: state.error, reload };
}
