/** What goes on, live: one stream for all pages, opened by the app and read with `useOverview`. */

import { type ComponentChildren, createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import { ApiError } from './api/errors.ts';
import { listen } from './api/events.ts';
import type { Overview } from './api/types.ts';

/**
 * The newest overview, and why there is none now; both are there when the stream broke after it had begun.
 */
export interface LiveOverview {
  overview: Overview | null;
  error: unknown;
}

const Live = createContext<LiveOverview>({ overview: null, error: null });

/** Follows the overview for everything inside. @param keyVersion grows when another key was entered */
export function OverviewStream({
  keyVersion,
  children,
}: {
  keyVersion: number;
  children: ComponentChildren;
}) {
  const [live, setLive] = useState<LiveOverview>({ overview: null, error: null });
  useEffect(() => {
    const leaving = new AbortController();
    void listen(
      'v1/events',
      {
        onEvent: (_event, value) => setLive({ overview: value as Overview, error: null }),
        onBreak: (error) =>
          setLive(({ overview }) => ({
            overview,
            error: error instanceof ApiError ? error : new ApiError('unreachable', 0, String(error)),
          })),
      },
      leaving.signal,
    );
    return () => leaving.abort();
  }, [keyVersion]);
  return <Live.Provider value={live}>{children}</Live.Provider>;
}

export function useOverview(): LiveOverview {
  return useContext(Live);
}
