/** Unpacking inputs: files that the usual tools wrote, in two members each, whole, cut and damaged. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type Packing, unpack } from '@embedmill/core/formats';
import { describe, expect, test } from 'vitest';
import { streamOf } from './read.ts';

const fixture = (extension: string) =>
  readFileSync(fileURLToPath(new URL(`../../fixtures/packed/reviews.jsonl.${extension}`, import.meta.url)));

/** The rows that all fixtures hold. */
const line = (n: number) =>
  `${JSON.stringify({ id: n, text: `Review ${n}: the towel is soft, size ${(n * 7919) % 101}.` })}\n`;
const lines = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => line(from + n)).join('');
const whole = lines(1, 300);

/** As `zstd`, `bzip2` and `xz` wrote them. */
const packed: [Packing, Buffer][] = [
  ['gzip', Buffer.concat([gzipSync(lines(1, 150)), gzipSync(lines(151, 300))])],
  ['zstd', fixture('zst')],
  ['bzip2', fixture('bz2')],
  ['xz', fixture('xz')],
];

async function unpacked(bytes: Uint8Array, packing: Packing, chunkBytes = 1000): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of unpack(streamOf(bytes, chunkBytes), packing)) parts.push(part);
  return Buffer.concat(parts).toString();
}

describe.each(packed)('%s', (packing, bytes) => {
  test.each([1, 7, 100_000])(
    'is unpacked with all its members, in chunks of %i bytes',
    async (chunkBytes) => {
      expect(await unpacked(bytes, packing, chunkBytes)).toBe(whole);
    },
  );

  test.each([
    ['in its last member', -9],
    ['in its first member', 200],
  ])('that is cut %s is refused', async (_, end) => {
    await expect(unpacked(bytes.subarray(0, end), packing)).rejects.toMatchObject({
      code: `corrupt-${packing}`,
      message: expect.stringContaining('unexpected end of input'),
    });
  });

  test('that is damaged never gives other bytes', async () => {
    let refused = 0;
    // The first member has a checksum in each of them.
    for (let at = 12; at < bytes.length * 0.4; at += 5) {
      const damaged = Buffer.from(bytes.with(at, (bytes[at] ?? 0) ^ 0x10));
      // A changed byte may mean the same: another copy of the same letters.
      const outcome = await unpacked(damaged, packing).catch((error) => error.code);
      expect([`corrupt-${packing}`, whole], `byte ${at}`).toContain(outcome);
      if (outcome !== whole) refused++;
    }
    expect(refused).toBeGreaterThan(50);
  });

  test('passes on an error of its source', async () => {
    async function* failing() {
      yield bytes.subarray(0, 100);
      throw new Error('the disk is gone');
    }
    const read = async () => {
      for await (const _ of unpack(failing(), packing));
    };
    await expect(read()).rejects.toThrow('the disk is gone');
  });

  test('closes its source when the reader stops', async () => {
    let isClosed = false;
    async function* source() {
      try {
        for (;;) yield bytes;
      } finally {
        isClosed = true;
      }
    }
    for await (const _ of unpack(source(), packing)) break;
    await expect.poll(() => isClosed).toBe(true);
  });
});

test('skippable frames of zstd are skipped', async () => {
  const frame = Buffer.from('502a4d180400000001020304', 'hex');
  expect(await unpacked(Buffer.concat([frame, fixture('zst'), frame]), 'zstd')).toBe(whole);
});

test('bzip2 is unpacked block by block, as far as it is read', async () => {
  // One block of 46 MB of zeros, 1,000 times: 32 kB that nothing could unpack at once.
  const block = Buffer.from('3141592653590e09e2df015f8e4000c0000008200030804d4642a025a90a8097', 'hex');
  const bytes = Buffer.concat([Buffer.from('BZh9'), ...Array.from({ length: 1000 }, () => block)]);
  for await (const part of unpack(streamOf(bytes, 1000), 'bzip2')) {
    expect(part.length).toBeGreaterThan(45_000_000);
    break;
  }
  expect.assertions(1);
});
