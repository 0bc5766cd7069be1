/** Embeds texts at a producer, ahead of its bulk runs. */

import { EmbedmillClient } from '@embedmill/client';
import type { Precision, Treatment } from '@embedmill/contract';
import type { TextEmbedder } from './types.ts';

/** Which producer, and how it is asked. */
export interface RemoteModel {
  url: string;
  apiKey: string | undefined;
  /** Name that the producer's workers know; `null` for the producer's own. */
  model: string | null;
  precision: Precision;
  treatment: Pick<Treatment, 'clean' | 'long' | 'prompt'>;
  signal: AbortSignal;
}

/** Texts of one request: as many as a worker answers in about a second, so that progress can be shown. */
const REQUEST_TEXTS = 256;

/** Every call throws what {@link EmbedmillClient} throws. */
export function openRemoteEmbedder({
  url,
  apiKey,
  model,
  precision,
  treatment,
  signal,
}: RemoteModel): TextEmbedder {
  const client = new EmbedmillClient({ url, apiKey, signal });
  const { clean, long, prompt } = treatment;
  const terms = { precision, clean, long, prompt, ...(model === null ? {} : { model }) };
  return {
    name: `${model ?? url} ${precision}`,
    async embed(texts, onText = () => {}) {
      let dim = 0;
      let vectors = new Float32Array(0);
      for (let from = 0; from < texts.length; from += REQUEST_TEXTS) {
        const answer = await client.embed(texts.slice(from, from + REQUEST_TEXTS), terms);
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
