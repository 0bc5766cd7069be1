/** Fetches the code of the map when somebody wants to see one; it is not part of the first load. */

import type { RunInfo } from '@embedmill/contract';
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Failure, Loading } from '../../ui/states.tsx';

export function MapLoader({ run }: { run: RunInfo }) {
  // A component is a function, which useState would take for a way to compute the state.
  const [loaded, setLoaded] = useState<{ RunMap: ComponentType<{ run: RunInfo }> } | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    import('../../map/run-map.tsx').then(setLoaded, setError);
  }, []);
  if (error !== null) return <Failure error={error} />;
  return loaded === null ? <Loading what="the map" /> : <loaded.RunMap run={run} />;
}
