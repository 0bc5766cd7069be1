/** Embeds a few texts at once (POST /v1/embed). Vectors travel as base64: exact, and a quarter of the bytes of numbers. */

import type { TextInput } from '@embedmill/contract';
import type { CallOptions, Http } from './http.ts';
import type { Embeddings, EmbedOptions } from './types.ts';

type WrittenEmbeddings = Omit<Embeddings, 'vectors'> & { vectors: (string | null)[] };

/** One request; the producer answers ahead of every bulk run, or refuses when it has too many already. */
export async function embedTexts(
  http: Http,
  texts: readonly TextInput[],
  { signal, timeoutMs, ...terms }: EmbedOptions & CallOptions,
): Promise<Embeddings> {
  const written = await http.json<WrittenEmbeddings>('POST', '/v1/embed', {
    signal,
    body: JSON.stringify({ ...terms, texts, encoding: 'base64' }),
    headers: {
      'content-type': 'application/json',
      ...(timeoutMs === undefined ? {} : { 'request-timeout-ms': String(timeoutMs) }),
    },
  });
  return {
    ...written,
    vectors: written.vectors.map((vector) => (vector === null ? null : floatsOf(vector))),
  };
}

/** Little-endian float32, as every browser and every platform of Node has them. */
function floatsOf(base64: string): Float32Array {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}
