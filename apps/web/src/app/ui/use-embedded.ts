/** The vectors of texts that somebody is typing: asked for when the typing rests, the newest answer wins. */

import { useEffect, useState } from 'preact/hooks';
import { type Embedded, type EmbedTerms, embedTexts } from '../api/embed.ts';
import { useDebounced } from './use-debounced.ts';

/** Shorter, and one asks for every letter; longer, and it no longer feels live. */
const REST_MS = 250;

/** The last answer and the texts it is for; kept while the next one is on its way. */
export interface LiveEmbedded {
  texts: readonly string[];
  embedded: Embedded | null;
  error: unknown;
  isAsking: boolean;
}

/** @param json the texts as JSON, so that equal ones are the same value; no texts ask nothing */
export function useEmbedded(json: string, terms: EmbedTerms): LiveEmbedded {
  const still = useDebounced(json, REST_MS);
  const [answer, setAnswer] = useState<{ json: string; embedded: Embedded | null; error: unknown }>({
    json: '[]',
    embedded: null,
    error: null,
  });
  const { precision, truncate } = terms;
  useEffect(() => {
    const texts = JSON.parse(still) as string[];
    if (texts.length === 0) {
      setAnswer({ json: still, embedded: null, error: null });
      return;
    }
    const leaving = new AbortController();
    const asked = { ...(precision && { precision }), ...(truncate && { truncate }) };
    embedTexts(texts, asked, leaving.signal).then(
      (embedded) => setAnswer({ json: still, embedded, error: null }),
      (error) => {
        if (!leaving.signal.aborted) setAnswer({ json: still, embedded: null, error });
      },
    );
    return () => leaving.abort();
  }, [still, precision, truncate]);
  return {
    texts: JSON.parse(answer.json) as string[],
    embedded: answer.embedded,
    error: answer.error,
    isAsking: json !== answer.json,
  };
}
