/** Embeds texts through a producer, with priority over its bulk runs. */

import { EmbedmillClient } from '@embedmill/client';
import type { Precision, Treatment } from '@embedmill/contract';
import type { TextEmbedder } from './types.ts';

/** Dependencies and options of {@link openRemoteEmbedder}. */
export interface RemoteEmbedderDeps {
  /** Base URL of the producer. */
  url: string;
  apiKey: string | undefined;
  /** Name of a model of its workers; `null` for the producer's default. */
  model: string | null;
  precision: Precision;
  treatment: Pick<Treatment, 'clean' | 'long' | 'prompt' | 'inputType'>;
  signal: AbortSignal;
}

/** Texts per request: about one second of work, so that progress is visible. */
const REQUEST_TEXTS = 256;

/** An embedder that sends requests to a producer. Its calls throw the errors of {@link EmbedmillClient}. */
export function openRemoteEmbedder({
  url,
  apiKey,
  model,
  precision,
  treatment,
  signal,
}: RemoteEmbedderDeps): TextEmbedder {
  const client = new EmbedmillClient({ url, apiKey, signal });
  const { clean, long, prompt, inputType = 'document' } = treatment;
  const options = { precision, clean, long, prompt, inputType, ...(model === null ? {} : { model }) };
  return {
    name: `${model ?? url} ${precision}`,
    async embed(texts, onText = () => {}, as = 'text') {
      const chosen = as === 'text' ? options : { ...options, prompt: '', inputType: 'document' as const };
      let dim = 0;
      let vectors = new Float32Array(0);
      for (let from = 0; from < texts.length; from += REQUEST_TEXTS) {
        const answer = await client.embed(texts.slice(from, from + REQUEST_TEXTS), chosen);
        if (dim === 0) {
          dim = answer.dim;
          vectors = new Float32Array(texts.length * dim);
        }
        for (const [n, vector] of answer.vectors.entries()) {
          if (vector !== null) vectors.set(vector, (from + n) * dim);
        }
        onText(Math.min(texts.length, from + REQUEST_TEXTS));
      }
      return { dim, vectors };
    },
    close: async () => {},
  };
}
