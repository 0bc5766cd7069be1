/** Vector blocks: the bytes of parts. */

import { decodeVectorBlocks, encodeVectorBlock, type VectorBlock } from '@embedmill/contract';
import { expect, test } from 'vitest';

const block = (rows: number, dim: number): VectorBlock => ({
  ids: Array.from({ length: rows }, (_, n) => (n % 3 === 0 ? null : `id ${n} ✓`)),
  dim,
  vectors: Float32Array.from({ length: rows * dim }, (_, n) => n / 7),
  missing: rows > 1 ? [{ row: 1, line: 9, verdict: 'empty', message: 'the text is empty' }] : [],
});

const blocks = [block(5, 3), block(0, 3), block(1, 3)];
const bytes = Buffer.concat(blocks.flatMap(encodeVectorBlock));

async function decode(chunks: Iterable<Uint8Array>): Promise<VectorBlock[]> {
  const decoded: VectorBlock[] = [];
  const source = (async function* () {
    yield* chunks;
  })();
  for await (const each of decodeVectorBlocks(source, (problem) => new Error(problem))) decoded.push(each);
  return decoded;
}

test.each([1, 7, 16, 10_000])('are decoded from chunks of %i bytes', async (size) => {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  expect(await decode(chunks)).toEqual(blocks);
  expect(await decode([])).toEqual([]);
});

test.each([
  ['a cut header', bytes.subarray(0, 5), 'a block ends 11 bytes early'],
  ['a cut block', bytes.subarray(0, 100), 'bytes early'],
  ['a block without content', bytes.subarray(0, 16), 'a block ends after its header'],
  ['other bytes', Buffer.from('<html><body>no</body></html>'), 'does not start with "EMV1"'],
])('%s is refused', async (_, given, problem) => {
  await expect(decode([given])).rejects.toThrow(problem);
});
