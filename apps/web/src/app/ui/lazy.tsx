/** A component whose code is loaded on demand: it is not part of the first load. */

import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Failure, Loading } from './states.tsx';

/** @param load must be the same function in every rendering */
export function Lazy<Props extends object>({
  what,
  load,
  props,
}: {
  /** Follows the word “Loading”. */
  what: string;
  load: () => Promise<ComponentType<Props>>;
  props: Props;
}) {
  // Wrapped in an object, because useState would call a function.
  const [loaded, setLoaded] = useState<{ Component: ComponentType<Props> } | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    load().then((Component) => setLoaded({ Component }), setError);
  }, [load]);
  if (error !== null) return <Failure error={error} />;
  return loaded === null ? <Loading what={what} /> : <loaded.Component {...props} />;
}
