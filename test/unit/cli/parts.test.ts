/** Encoding rows as parts. */

import type { RowRead } from '@embedmill/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  digestOf,
  encodeParts,
  firstRows,
  type Part,
} from '../../../apps/cli/src/engine/run/encode-parts.ts';

const limits = { maxRows: 3, maxBytes: 10_000, maxRowBytes: 200 };

async function* sliced(...slices: RowRead[][]): AsyncGenerator<RowRead[]> {
  yield* slices;
}

async function collect<Value>(source: AsyncIterable<Value>): Promise<Value[]> {
  const all: Value[] = [];
  for await (const value of source) all.push(value);
  return all;
}

const row = (line: number, text = `text ${line}`, id: string | null = `id${line}`): RowRead => ({
  ok: true,
  line,
  id,
  text,
});
const linesOf = ({ body }: Part) =>
  body
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('encodeParts', () => {
  test('numbers parts from 1 and limits their rows', async () => {
    const rows = [1, 2, 3, 4, 5, 6, 7].map((line) => row(line));
    const parts = await collect(encodeParts(sliced(rows), limits));
    expect(parts.map(({ number, rows }) => [number, rows])).toEqual([
      [1, 3],
      [2, 3],
      [3, 1],
    ]);
  });

  test('ends a part with the row that reaches its size limit', async () => {
    const rows = [1, 2, 3].map((line) => row(line, 'x'.repeat(100)));
    const parts = await collect(encodeParts(sliced(rows), { ...limits, maxBytes: 150 }));
    expect(parts.map(({ rows }) => rows)).toEqual([2, 1]);
  });

  test('gives the same bytes for any slicing of the rows', async () => {
    const texts = fc.array(
      fc.record({ text: fc.string({ unit: 'binary', maxLength: 40 }), cut: fc.boolean() }),
    );
    await fc.assert(
      fc.asyncProperty(texts, async (given) => {
        const rows = given.map(({ text }, i) => row(i + 1, text));
        const slices: RowRead[][] = [[]];
        for (const [i, { cut }] of given.entries()) {
          if (cut) slices.push([]);
          slices.at(-1)?.push(rows[i]!);
        }
        const once = await collect(encodeParts(sliced(rows), limits));
        const many = await collect(encodeParts(sliced(...slices), limits));
        expect(many.map(digestOf)).toEqual(once.map(digestOf));
      }),
    );
  });

  test('sends a bad row with its reason, so that it keeps its place', async () => {
    const bad: RowRead = {
      ok: false,
      line: 2,
      id: 'b',
      code: 'invalid-json',
      message: 'no JSON',
    };
    const [part] = await collect(encodeParts(sliced([row(1), bad, row(3, 'c', null)]), limits));
    expect(linesOf(part!)).toEqual([
      { id: 'id1', text: 'text 1', line: 1 },
      { id: 'b', line: 2, error: { code: 'invalid-json', message: 'no JSON' } },
      { text: 'c', line: 3 },
    ]);
  });

  test('turns a row into a bad row if its JSON exceeds the limit of the producer', async () => {
    // Each quote takes two bytes as JSON.
    const [part] = await collect(encodeParts(sliced([row(1, '"'.repeat(150))]), limits));
    expect(linesOf(part!)).toEqual([
      { id: 'id1', line: 1, error: { code: 'row-too-large', message: expect.stringContaining('200 B') } },
    ]);
  });
});

describe('firstRows', () => {
  test.each([1, 2, 3, 4, 9])('passes %i rows, then closes the source', async (limit) => {
    let isClosed = false;
    async function* source(): AsyncGenerator<RowRead[]> {
      try {
        yield [row(1), row(2)];
        yield [row(3), row(4)];
        yield [row(5)];
      } finally {
        isClosed = true;
      }
    }
    expect((await collect(firstRows(source(), limit))).flat()).toHaveLength(Math.min(limit, 5));
    expect(isClosed).toBe(true);
  });
});
