/** The vectors of texts that somebody is typing: asked for when the typing rests, the newest answer wins. */

import { useEffect, useState } from 'preact/hooks';
import { type EmbeddedReply, type EmbedTextsOptions, embedTexts } from '../api/embed.ts';
import { useDebounced } from './use-debounced.ts';

/** Shorter, and one asks for every letter; longer, and it no longer feels live. */
const REST_MS = 250;

/** The last answer and the texts it is for; kept while the next one is on its way. */
export interface LiveEmbedded {
  texts: readonly string[];
  embedded: EmbeddedReply | null;
  error: unknown;
  isAsking: boolean;
}

/**
 * @param json the texts as JSON, so that equal ones are the same value; no texts ask nothing
 * @param options how they are cleaned; the same array for the same steps
 */
export function useEmbedded(json: string, options: Pick<EmbedTextsOptions, 'clean'>): LiveEmbedded {
  const still = useDebounced(json, REST_MS);
  const [answer, setAnswer] = useState<{ json: string; embedded: EmbeddedReply | null; error: unknown }>({
    json: '[]',
    embedded: null,
    error: null,
  });
  const { clean } = options;
  useEffect(() => {
    const texts = JSON.parse(still) as string[];
    if (texts.length === 0) {
      setAnswer({ json: still, embedded: null, error: null });
      return;
    }
    const leaving = new AbortController();
    embedTexts(texts, clean === undefined ? {} : { clean }, leaving.signal).then(
      (embedded) => setAnswer({ json: still, embedded, error: null }),
      (error) => {
        if (!leaving.signal.aborted) setAnswer({ json: still, embedded: null, error });
      },
    );
    return () => leaving.abort();
  }, [still, clean]);
  return {
    texts: JSON.parse(answer.json) as string[],
    embedded: answer.embedded,
    error: answer.error,
    isAsking: json !== answer.json,
  };
}
