/**
 * Embeds a few texts (POST /v1/embed). Vectors are sent as base64: exact, and a quarter of the bytes of
 * decimals.
 */

import type { TextInput } from '@embedmill/contract';
import type { CallOptions, Http } from './http.ts';
import type { Embeddings, EmbedOptions } from './types.ts';

type EncodedEmbeddings = Omit<Embeddings, 'vectors'> & { vectors: (string | null)[] };

/**
 * Makes one request, which takes precedence over bulk runs; the producer rejects it when its queue is full.
 */
export async function embedTexts(
  http: Http,
  texts: readonly TextInput[],
  { signal, timeoutMs, ...options }: EmbedOptions & CallOptions,
): Promise<Embeddings> {
  const response = await http.json<EncodedEmbeddings>('POST', '/v1/embed', {
    signal,
    body: JSON.stringify({ ...options, texts, encoding: 'base64' }),
    headers: {
      'content-type': 'application/json',
      ...(timeoutMs === undefined ? {} : { 'request-timeout-ms': String(timeoutMs) }),
    },
  });
  return {
    ...response,
    vectors: response.vectors.map((vector) => (vector === null ? null : floatsOf(vector))),
  };
}

/** Decodes little-endian float32; every browser and every platform of Node is little-endian. */
function floatsOf(base64: string): Float32Array {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}
