/** The checkers of the fault tests detect the faults that they are made for. */

import { NPY_HEADER_BYTES } from '@embedmill/core/formats';
import { describe, expect, it } from 'vitest';
import { faultsOfNumbers } from '../soak/numbers.ts';
import { faultsOfGrowth, type Sample } from '../soak/samples.ts';
import { faultsOfResults, hashEngineVector, sentRows } from '../support/mill.ts';

const rows = sentRows(5);

function lineOf({ id, text }: { id: string; text: string }): string {
  return JSON.stringify({ id, vector: hashEngineVector(text, 64).toString('base64') });
}
const lines = rows.map(lineOf);

describe('the checker of results', () => {
  it('accepts correct ones', async () => {
    expect(await faultsOfResults(rows, lines)).toEqual([]);
  });

  it('detects a lost row', async () => {
    expect(await faultsOfResults(rows, lines.toSpliced(2, 1))).not.toEqual([]);
    expect(await faultsOfResults(rows, lines.slice(0, 4))).toEqual(['5 rows were sent, 4 came back']);
  });

  it('detects a duplicated row', async () => {
    expect(await faultsOfResults(rows, lines.toSpliced(2, 0, lines[2]!))).not.toEqual([]);
    expect(await faultsOfResults(rows, [...lines, lines[4]!])).toEqual(['5 rows were sent, 6 came back']);
  });

  it('detects swapped rows, the vector of another text, and a vector with a flipped bit', async () => {
    expect(await faultsOfResults(rows, lines.toReversed())).not.toEqual([]);
    const swapped = lineOf({ id: rows[1]!.id, text: rows[2]!.text });
    expect(await faultsOfResults(rows, lines.with(1, swapped))).toEqual([
      "row id-1 has another text's vector",
    ]);
    const bytes = hashEngineVector(rows[3]!.text, 64);
    bytes[40]! ^= 1;
    const flipped = JSON.stringify({ id: rows[3]!.id, vector: bytes.toString('base64') });
    expect(await faultsOfResults(rows, lines.with(3, flipped))).toEqual([
      "row id-3 has another text's vector",
    ]);
  });
});

describe('the checker of a soak', () => {
  const DIM = 3;
  /** An .npy file as a stream whose chunks end in the middle of rows. */
  const fileOf = async function* (numbers: readonly number[]) {
    const floats = new Float32Array(numbers.flatMap((number) => [number, 0, 0]));
    const bytes = Buffer.concat([Buffer.alloc(NPY_HEADER_BYTES), Buffer.from(floats.buffer)]);
    for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
  };

  it.each([
    ['accepts each number in its place', [0, 1, 2, 3], 0],
    ['detects a lost row', [0, 1, 3], 2],
    ['detects a duplicated row', [0, 1, 1, 2, 3], 4],
    ['detects swapped rows', [0, 2, 1, 3], 2],
    ['detects a missing end', [0, 1, 2], 1],
  ])('%s', async (_what, numbers, faults) => {
    expect(await faultsOfNumbers(fileOf(numbers), 4, DIM)).toHaveLength(faults);
  });

  /** A soak in which only the memory of the producer changes. */
  const soakOf = (producerMb: (second: number) => number) =>
    Array.from({ length: 100 }, (_, seconds): Sample => {
      const [workerMb, redisMb, redisUsedMb, keys, events, readyEntries, creditMb] = [
        190, 45, 16, 50, 1030, 40, 15,
      ];
      const mine = { seconds, rowsDone: 0, producerMb: producerMb(seconds) };
      return { ...mine, workerMb, redisMb, redisUsedMb, keys, events, readyEntries, creditMb };
    });

  it('accepts memory that oscillates or warms up', () => {
    expect(faultsOfGrowth(soakOf((second) => 200 + 20 * Math.sin(second)))).toEqual([]);
    expect(faultsOfGrowth(soakOf((second) => Math.min(200, 100 + 20 * second)))).toEqual([]);
  });

  it('detects growing memory', () => {
    expect(faultsOfGrowth(soakOf((second) => 150 + 2 * second))).toEqual([
      expect.stringMatching(/^producer, resident MB: /),
    ]);
  });
});
