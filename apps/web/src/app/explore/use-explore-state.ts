/** Hook that keeps the state of the Explore page in the address. */

import { useCallback, useMemo } from 'preact/hooks';
import { useQuery } from '../router.ts';
import { decodeState, type ExploreState, encodeState } from './explore-state.ts';

/** Changes parts of the state; `replace` adds no step for the Back button. */
export type UpdateState = (change: Partial<ExploreState>, mode?: 'push' | 'replace') => void;

/** Returns the state, and the function that changes it. */
export function useExploreState(): [ExploreState, UpdateState] {
  const [query, setQuery] = useQuery();
  const state = useMemo(() => decodeState(query), [query]);
  const update = useCallback<UpdateState>(
    (change, mode = 'push') => {
      // Read from the address and not from the rendering: two changes may happen between two renderings.
      const now = decodeState(/\?(.*)$/s.exec(location.hash)?.[1] ?? '');
      setQuery(encodeState({ ...now, ...change }), mode);
    },
    [setQuery],
  );
  return [state, update];
}
