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

test('a part whose connection is cut again and again continues after its last whole block', async () => {
  const blocks = [BLOCK, { ...BLOCK, ids: ['c', null] }, { ...BLOCK, ids: ['e', 'f'] }];
  const asked: string[] = [];
  const client = new EmbedmillClient({
    url: 'http://producer',
    fetch: async (url) => {
      const { searchParams } = new URL(String(url));
      const fromRow = searchParams.get('fromRow') ?? '0';
      asked.push(fromRow);
      const [block, next] = blocks.slice(Number(fromRow) / 2);
      const cut = next === undefined ? [] : encodeVectorBlock(next).slice(0, 2);
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          const piece = [...encodeVectorBlock(block!), ...cut][pieces++];
          if (piece !== undefined) controller.enqueue(piece);
          else if (next === undefined) controller.close();
          else controller.error(new TypeError('terminated'));
        },
      });
      let pieces = 0;
      return new Response(body);
    },
  });
  const reading = client.followParts('run', [1]).next();
  await vi.advanceTimersByTimeAsync(10_000);
  expect((await reading).value).toEqual({ part: 1, blocks });
  expect(asked).toEqual(['0', '2', '4']);
});

test('a part whose bytes stop is a temporary failure', async () => {
  const { client, writer } = slowProducer();
  const failure = client.readPart('run', 1).catch((error) => error);
  await writer.write(encodeVectorBlock(BLOCK)[0]!);
  await setImmediate();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(await failure).toBeInstanceOf(PassingFault);
});
