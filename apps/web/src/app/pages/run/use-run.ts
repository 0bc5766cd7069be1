/** One run, live until it has ended. */

import type { RunInfo } from '@embedmill/contract';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { ApiError } from '../../api/errors.ts';
import { listen } from '../../api/events.ts';

/** What is known of the run. */
export interface LiveRun {
  run: RunInfo | null;
  error: unknown;
  /** Follows it anew: after a retry it is at work again. */
  follow: () => void;
}

export function useRun(id: string): LiveRun {
  const [run, setRun] = useState<RunInfo | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const leaving = new AbortController();
    const onEvent = (_event: string, value: unknown) => {
      setRun(value as RunInfo);
      setError(null);
    };
    const onBreak = (reason: unknown) => {
      // What is not there will not come; everything else may.
      if (reason instanceof ApiError && reason.status === 404) leaving.abort();
      setError(reason);
    };
    void listen(`v1/runs/${encodeURIComponent(id)}/events`, { onEvent, onBreak }, leaving.signal);
    return () => leaving.abort();
  }, [id, turn]);
  const follow = useCallback(() => setTurn((n) => n + 1), []);
  return { run, error, follow };
}
