/** Reading the vectors of a part over slow and broken connections. */

import { setImmediate } from 'node:timers/promises';
import { EmbedmillClient, PassingFault } from '@embedmill/client';
import { encodeVectorBlock } from '@embedmill/contract';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const BLOCK = { ids: ['a', 'b'], dim: 2, vectors: Float32Array.of(1, 2, 3, 4), missing: [] };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A client whose producer sends what the test writes; aborting the request ends the response. */
function slowProducer() {
  const body = new TransformStream<Uint8Array, Uint8Array>();
  const writer = body.writable.getWriter();
  const client = new EmbedmillClient({
    url: 'http://producer',
    fetch: async (_url, init) => {
      init?.signal?.addEventListener('abort', () => void writer.abort(init.signal?.reason));
      return new Response(body.readable);
    },
  });
  return { client, writer };
}

test('a part whose bytes arrive slowly is read', async () => {
  const { client, writer } = slowProducer();
  const reading = client.readPart('run', 1);
  for (const piece of encodeVectorBlock(BLOCK)) {
    await vi.advanceTimersByTimeAsync(25_000);
    await writer.write(piece);
    await setImmediate();
  }
  await writer.close();
  expect(await reading).toEqual([BLOCK]);
});

test('a part whose bytes stop is a temporary failure', async () => {
  const { client, writer } = slowProducer();
  const failure = client.readPart('run', 1).catch((error) => error);
  await writer.write(encodeVectorBlock(BLOCK)[0]!);
  await setImmediate();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(await failure).toBeInstanceOf(PassingFault);
});
