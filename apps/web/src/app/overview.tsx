/** The live overview: one event stream for all pages, opened by the app and read with `useOverview`. */

import { type ComponentChildren, createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import { FetchError } from './api/errors.ts';
import { listen } from './api/events.ts';
import type { Overview } from './api/types.ts';

/**
 * The latest overview, and the error of the stream; both are set when the stream breaks after its first
 * event.
 */
export interface OverviewState {
  overview: Overview | null;
  error: unknown;
}

const OverviewContext = createContext<OverviewState>({ overview: null, error: null });

/**
 * Provides the overview to its children.
 * @param keyVersion a new value reconnects, with the API key that is stored now
 */
export function OverviewStream({
  keyVersion,
  children,
}: {
  keyVersion: number;
  children: ComponentChildren;
}) {
  const [live, setLive] = useState<OverviewState>({ overview: null, error: null });
  useEffect(() => {
    const unmounted = new AbortController();
    void listen(
      'v1/events',
      {
        onEvent: (_event, value) => setLive({ overview: value as Overview, error: null }),
        onBreak: (error) =>
          setLive(({ overview }) => ({
            overview,
            error: error instanceof FetchError ? error : new FetchError('unreachable', 0, String(error)),
          })),
      },
      unmounted.signal,
    );
    return () => unmounted.abort();
  }, [keyVersion]);
  return <OverviewContext.Provider value={live}>{children}</OverviewContext.Provider>;
}

/** Returns the live overview; rerenders the component on every event. */
export function useOverview(): OverviewState {
  return useContext(OverviewContext);
}
