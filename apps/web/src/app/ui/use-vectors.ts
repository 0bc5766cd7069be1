/** Hook that embeds texts while they are being typed. */

import { useEffect, useState } from 'preact/hooks';
import { type RequestVectorsOptions, requestVectors, type VectorsReply } from '../api/vectors.ts';

/** Time without input before a request: shorter sends one per letter, longer no longer feels live. */
const DEBOUNCE_MS = 250;

/** The last response and the texts that it belongs to; kept while the next request is in progress. */
export interface LiveVectors {
  texts: readonly string[];
  embedded: VectorsReply | null;
  error: unknown;
  isLoading: boolean;
}

/**
 * Embeds the texts after each pause in typing; the response to an outdated request is dropped.
 * @param json the texts as a JSON array, which makes equal texts the same value; `[]` sends no request
 * @param options `clean` must be the same array while the steps are the same
 */
export function useVectors(json: string, options: Pick<RequestVectorsOptions, 'clean'>): LiveVectors {
  const settled = useDebounced(json, DEBOUNCE_MS);
  const [result, setResult] = useState<{ json: string; embedded: VectorsReply | null; error: unknown }>({
    json: '[]',
    embedded: null,
    error: null,
  });
  const { clean } = options;
  useEffect(() => {
    const texts = JSON.parse(settled) as string[];
    if (texts.length === 0) {
      setResult({ json: settled, embedded: null, error: null });
      return;
    }
    const unmounted = new AbortController();
    requestVectors(texts, clean === undefined ? {} : { clean }, unmounted.signal).then(
      (embedded) => setResult({ json: settled, embedded, error: null }),
      (error) => {
        if (!unmounted.signal.aborted) setResult({ json: settled, embedded: null, error });
      },
    );
    return () => unmounted.abort();
  }, [settled, clean]);
  return {
    texts: JSON.parse(result.json) as string[],
    embedded: result.embedded,
    error: result.error,
    isLoading: json !== result.json,
  };
}

/** Returns the value of the last time that it did not change for `ms`. */
function useDebounced<Value>(value: Value, ms: number): Value {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
