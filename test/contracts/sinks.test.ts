/** What every encoding of vectors must do. */
import {
  arrow,
  type Encoding,
  encodeIds,
  jsonl,
  maxChunkBytes,
  npy,
  parquet,
  type VectorRows,
} from '@embedmill/core';
import { tableFromIPC } from 'apache-arrow';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { queryParquet } from '../unit/sinks/duck.ts';
import { collect, encodeChunks, makeRows, readNpy, sliceAt } from '../unit/sinks/vectors.ts';

/** What a reader of the file gets: a list of floats per row, null for none. */
type Decoded = { ids: string[]; vectors: (number[] | null)[] };

interface Contract {
  name: string;
  encoding: Encoding;
  options: { encoding?: 'float' | 'base64' };
  /** What a row without a vector looks like to a reader. */
  absent: (dim: number) => number[] | null;
  decode: (file: Buffer, rows: VectorRows) => Promise<Decoded>;
}

const contracts: Contract[] = [
  {
    name: 'npy with ids beside it',
    encoding: npy,
    options: {},
    absent: (dim) => new Array(dim).fill(0),
    decode: async (file, rows) => {
      const { shape, floats } = readNpy(file);
      const ids = Buffer.concat(await collect(encodeIds(sliceAt(rows, [])))).toString();
      return {
        ids: ids
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line).id),
        vectors: Array.from({ length: shape[0] }, (_, n) => [
          ...floats.subarray(n * shape[1], (n + 1) * shape[1]),
        ]),
      };
    },
  },
  {
    name: 'jsonl of floats',
    encoding: jsonl,
    options: { encoding: 'float' },
    absent: () => null,
    decode: async (file) => decodeJsonl(file, (vector: number[]) => vector.map(Math.fround)),
  },
  {
    name: 'jsonl of base64',
    encoding: jsonl,
    options: { encoding: 'base64' },
    absent: () => null,
    decode: async (file) =>
      decodeJsonl(file, (vector: string) => {
        const bytes = Buffer.from(vector, 'base64');
        return Array.from({ length: bytes.length / 4 }, (_, n) => bytes.readFloatLE(n * 4));
      }),
  },
  {
    name: 'parquet',
    encoding: parquet,
    options: {},
    absent: () => null,
    decode: async (file) => {
      const rows = await queryParquet(file, 'SELECT id, vector FROM FILE');
      return {
        ids: rows.map(({ id }) => id as string),
        vectors: rows.map(({ vector }) => vector as number[] | null),
      };
    },
  },
  {
    name: 'arrow',
    encoding: arrow,
    options: {},
    absent: () => null,
    decode: async (file) => {
      const table = tableFromIPC(file);
      return {
        ids: [...(table.getChild('id') ?? [])],
        vectors: [...(table.getChild('vector') ?? [])].map((vector) =>
          vector === null ? null : [...vector],
        ),
      };
    },
  },
];

function decodeJsonl<T>(file: Buffer, floats: (vector: T) => number[]): Decoded {
  const rows = file
    .toString()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
  return {
    ids: rows.map(({ id }) => id),
    vectors: rows.map(({ vector }) => (vector === null ? null : floats(vector))),
  };
}

describe.each(contracts)('$name', ({ encoding, options, absent, decode }) => {
  const expected = (rows: VectorRows): Decoded => ({
    ids: [...rows.ids],
    vectors: rows.ids.map((_, n) =>
      rows.present[n] === 1 ? [...rows.vectors.subarray(n * rows.dim, (n + 1) * rows.dim)] : absent(rows.dim),
    ),
  });

  const encode = async (rows: VectorRows, cuts: readonly number[] = []): Promise<Buffer> =>
    Buffer.concat(await encodeChunks(encoding, rows, { ...options, cuts }));

  test.each([
    ['no row', makeRows(0, 4)],
    ['one row', makeRows(1, 384)],
    ['one row without a vector', makeRows(1, 4, { absentEvery: 1 })],
    ['10 000 rows', makeRows(10_000, 24, { absentEvery: 7 })],
    ['vectors of one float', makeRows(300, 1, { absentEvery: 2 })],
    ['only rows without vectors', makeRows(300, 3, { absentEvery: 1 })],
    ['ids of any text', { ...makeRows(4, 2), ids: ['', '"\\\n', 'ü😀', `${'long '.repeat(100)}`] }],
  ])('gives back ids and vectors of %s, in order', async (_, rows) => {
    expect(await decode(await encode(rows), rows)).toEqual(expected(rows));
  });

  test('has the same bytes however the rows are sliced', async () => {
    const rows = makeRows(60, 5, { absentEvery: 4 });
    const whole = await encode(rows);
    const cuts = fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(cuts, async (at) => {
        const file = await encode(
          rows,
          at.sort((a, b) => a - b),
        );
        expect(file.equals(whole)).toBe(true);
      }),
    );
  });

  test('comes in bounded chunks, though a slice may be large', async () => {
    const rows = {
      ...makeRows(3000, 384),
      ids: Array.from({ length: 3000 }, (_, n) => `${n}`.padEnd(512, 'x')),
    };
    const chunks = await encodeChunks(encoding, rows, options);
    expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThanOrEqual(maxChunkBytes);
    expect(chunks.length).toBeGreaterThan(3);
  });

  test('splits one vector that is larger than a chunk', async () => {
    const chunks = await encodeChunks(encoding, makeRows(1, 400_000), options);
    expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThanOrEqual(maxChunkBytes);
  });

  test('takes no more rows than the reader asks for', async () => {
    const slice = makeRows(256, 384);
    let given = 0;
    async function* endless() {
      for (;;) {
        given += slice.ids.length;
        yield slice;
      }
    }
    const chunks = encoding.encode(endless(), { rows: 1_000_000, dim: 384 }, options);
    let taken = 0;
    for await (const chunk of chunks) {
      taken += chunk.length;
      if (taken > 1000) break;
    }
    // One row group of Parquet, less for the others.
    expect(given).toBeLessThan(6000);
  });

  test.each([
    ['fewer rows than promised', 4, { rows: 5, dim: 2 }, '4 rows came; expected 5'],
    ['more rows than promised', 4, { rows: 3, dim: 2 }, 'at least 4 rows came; expected 3'],
    ['vectors of another length', 4, { rows: 4, dim: 3 }, 'vectors of 2 floats came; expected 3'],
  ])('refuses %s', async (_, count, shape, problem) => {
    const file = collect(encoding.encode(sliceAt(makeRows(count, 2), [2]), shape, options));
    await expect(file).rejects.toMatchObject({
      code: 'wrong-shape',
      message: expect.stringContaining(problem),
    });
  });

  test('refuses a slice whose parts do not belong together', async () => {
    const rows = { ...makeRows(4, 2), present: Uint8Array.of(1, 1) };
    async function* one() {
      yield rows;
    }
    const file = collect(encoding.encode(one(), { rows: 4, dim: 2 }, options));
    await expect(file).rejects.toMatchObject({
      code: 'wrong-shape',
      message: expect.stringContaining('2 marks'),
    });
  });
});
