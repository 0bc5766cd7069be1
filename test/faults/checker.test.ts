/** What the fault tests judge runs by notices what it is there for. */

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
  it('accepts whole ones', async () => {
    expect(await faultsOfResults(rows, lines)).toEqual([]);
  });

  it('notices a lost row', async () => {
    expect(await faultsOfResults(rows, lines.toSpliced(2, 1))).not.toEqual([]);
    expect(await faultsOfResults(rows, lines.slice(0, 4))).toEqual(['5 rows were sent, 4 came back']);
  });

  it('notices a doubled row', async () => {
    expect(await faultsOfResults(rows, lines.toSpliced(2, 0, lines[2]!))).not.toEqual([]);
    expect(await faultsOfResults(rows, [...lines, lines[4]!])).toEqual(['5 rows were sent, 6 came back']);
  });

  it('notices rows that changed places, a vector of another text, and a vector with one bit wrong', async () => {
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
  /** An .npy file as the chunks of a stream, cut in the middle of rows. */
  const fileOf = async function* (numbers: readonly number[]) {
    const floats = new Float32Array(numbers.flatMap((number) => [number, 0, 0]));
    const bytes = Buffer.concat([Buffer.alloc(NPY_HEADER_BYTES), Buffer.from(floats.buffer)]);
    for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
  };

  it.each([
    ['accepts each number in its place', [0, 1, 2, 3], 0],
    ['notices a lost row', [0, 1, 3], 2],
    ['notices a doubled row', [0, 1, 1, 2, 3], 4],
    ['notices rows that changed places', [0, 2, 1, 3], 2],
    ['notices that the end is missing', [0, 1, 2], 1],
  ])('%s', async (_what, numbers, faults) => {
    expect(await faultsOfNumbers(fileOf(numbers), 4, DIM)).toHaveLength(faults);
  });

  /** A soak in which everything stays as it is, but for the memory of the producer. */
  const soakOf = (producerMb: (second: number) => number) =>
    Array.from({ length: 100 }, (_, seconds): Sample => {
      const [workerMb, redisMb, redisUsedMb, keys, events, readyEntries, creditMb] = [
        190, 45, 16, 50, 1030, 40, 15,
      ];
      const mine = { seconds, rowsDone: 0, producerMb: producerMb(seconds) };
      return { ...mine, workerMb, redisMb, redisUsedMb, keys, events, readyEntries, creditMb };
    });

  it('accepts memory that goes up and down, and that warms up', () => {
    expect(faultsOfGrowth(soakOf((second) => 200 + 20 * Math.sin(second)))).toEqual([]);
    expect(faultsOfGrowth(soakOf((second) => Math.min(200, 100 + 20 * second)))).toEqual([]);
  });

  it('notices memory that grows', () => {
    expect(faultsOfGrowth(soakOf((second) => 150 + 2 * second))).toEqual([
      expect.stringMatching(/^producer, resident MB: /),
    ]);
  });
});
