/** The contract of all output formats. */

import { type Dtype, floatsOfHalves, type VectorRows } from '@embedmill/contract';
import {
  arrow,
  type EncodeOptions,
  encodeIds,
  encodeScales,
  type Format,
  jsonl,
  MAX_CHUNK_BYTES,
  npy,
  numbersOf,
  parquet,
} from '@embedmill/core/formats';
import { tableFromIPC } from 'apache-arrow';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { queryParquet } from '../unit/sinks/duck.ts';
import { collect, encodeChunks, makeRows, numbersIn, readNpy, sliceAt } from '../unit/sinks/vectors.ts';

/** The vectors read back from a file: a list of floats per row, null for a row without a vector. */
type Decoded = { ids: string[]; vectors: (number[] | null)[] };

interface Contract {
  name: string;
  encoding: Format;
  options: EncodeOptions;
  /** The value that a reader gets for a row without a vector. */
  absent: (dim: number) => number[] | null;
  /** Numbers of int8 are multiplied by the scale of their row. */
  decode: (file: Buffer, rows: VectorRows) => Promise<Decoded>;
}

const dtypes = ['float32', 'float16', 'int8'] as const;
const zeros = (dim: number): number[] => new Array(dim).fill(0);
const none = () => null;
const times = (scale: number) => (number: number) => number * scale;

const contracts: Contract[] = dtypes.flatMap(
  (dtype) =>
    [
      {
        name: `npy of ${dtype} with ids beside it`,
        encoding: npy,
        options: { dtype },
        absent: zeros,
        decode: async (file, rows) => {
          const { descr, shape, numbers } = readNpy(file);
          expect(descr).toBe({ float32: '<f4', float16: '<f2', int8: '|i1' }[dtype]);
          const ids = Buffer.concat(await collect(encodeIds(sliceAt(rows, [])))).toString();
          const whole = { rows: rows.ids.length, dim: rows.dim };
          const scales = readNpy(Buffer.concat(await collect(encodeScales(sliceAt(rows, []), whole))));
          expect(scales.shape).toEqual([rows.ids.length]);
          return {
            ids: ids
              .split('\n')
              .slice(0, -1)
              .map((line) => JSON.parse(line).id),
            vectors: Array.from({ length: shape[0]! }, (_, n) =>
              numbers
                .slice(n * shape[1]!, (n + 1) * shape[1]!)
                .map(times(dtype === 'int8' ? scales.numbers[n]! : 1)),
            ),
          };
        },
      },
      {
        name: `jsonl of ${dtype} in decimals`,
        encoding: jsonl,
        options: { dtype, encoding: 'float' },
        absent: none,
        // A reader may parse the decimals of a half as float32; the nearest half is the same.
        decode: async (file) =>
          decodeJsonl(file, ({ vector, scale = 1 }: { vector: number[]; scale?: number }) =>
            dtype === 'float16'
              ? [...floatsOfHalves(numbersOf(Float32Array.from(vector), 1, dtype) as Uint16Array)]
              : vector.map(Math.fround).map(times(Math.fround(scale))),
          ),
      },
      {
        name: `jsonl of ${dtype} in base64`,
        encoding: jsonl,
        options: { dtype, encoding: 'base64' },
        absent: none,
        decode: async (file) =>
          decodeJsonl(
            file,
            ({ vector, dtype: named, scale = 1 }: { vector: string; dtype?: string; scale?: number }) => {
              expect(named).toBe(dtype === 'float32' ? undefined : dtype);
              return numbersIn(Buffer.from(vector, 'base64'), dtype).map(times(Math.fround(scale)));
            },
          ),
      },
      {
        name: `parquet of ${dtype}`,
        encoding: parquet,
        options: { dtype },
        absent: none,
        decode: async (file) => decodeColumns(await queryParquet(file, 'SELECT * FROM FILE')),
      },
      {
        name: `arrow of ${dtype}`,
        encoding: arrow,
        options: { dtype },
        absent: none,
        decode: async (file) =>
          decodeColumns(
            tableFromIPC(file)
              .toArray()
              .map((row) => row.toJSON() as Record<string, unknown>),
          ),
      },
    ] satisfies Contract[],
);

/** The rows of a columnar reader. */
function decodeColumns(rows: Record<string, unknown>[]): Decoded {
  return {
    ids: rows.map(({ id }) => id as string),
    vectors: rows.map(({ vector, scale = 1 }) =>
      vector === null ? null : [...(vector as Iterable<number>)].map(times(scale as number)),
    ),
  };
}

function decodeJsonl<T>(file: Buffer, numbers: (line: T) => number[]): Decoded {
  const rows = file
    .toString()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
  return {
    ids: rows.map(({ id }) => id),
    vectors: rows.map((line) => (line.vector === null ? null : numbers(line))),
  };
}

/** The expected stored vector: the nearest halves, or integers up to 127 times a float32 scale. */
function kept(vector: Float32Array, dtype: Dtype): number[] {
  if (dtype === 'float32') return [...vector];
  if (dtype === 'float16') return [...floatsOfHalves(numbersOf(vector, vector.length, dtype) as Uint16Array)];
  const largest = Math.max(...vector.map(Math.abs));
  // Integers have no −0.
  const numbers = Array.from(vector, (value) => Math.round((value * 127) / largest) + 0);
  return numbers.map(times(Math.fround(largest / 127)));
}

describe.each(contracts)('$name', ({ encoding, options, absent, decode }) => {
  const expected = (rows: VectorRows): Decoded => ({
    ids: [...rows.ids],
    vectors: rows.ids.map((_, n) =>
      rows.present[n] === 1
        ? kept(rows.vectors.subarray(n * rows.dim, (n + 1) * rows.dim), options.dtype ?? 'float32')
        : absent(rows.dim),
    ),
  });

  const encode = async (rows: VectorRows, cuts: readonly number[] = []): Promise<Buffer> =>
    Buffer.concat(await encodeChunks(encoding, rows, { ...options, cuts }));

  test.each([
    ['no row', makeRows(0, 4)],
    ['one row', makeRows(1, 384)],
    ['one row without a vector', makeRows(1, 4, { absentEvery: 1 })],
    ['10,000 rows', makeRows(10_000, 24, { absentEvery: 7 })],
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

  test('has the same bytes if the number of rows is known only after the last one', async () => {
    const rows = makeRows(60, 5, { absentEvery: 4 });
    const shape = { rows: null, dim: 5 };
    const file = Buffer.concat(await collect(encoding.encode(sliceAt(rows, [7]), shape, options)));
    file.set(encoding.head?.({ rows: 60, dim: 5 }, options) ?? []);
    expect(file.equals(await encode(rows))).toBe(true);
  });

  test('yields chunks of limited size for a large slice', async () => {
    const rows = {
      ...makeRows(6000, 384),
      ids: Array.from({ length: 6000 }, (_, n) => `${n}`.padEnd(512, 'x')),
    };
    const chunks = await encodeChunks(encoding, rows, options);
    expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThanOrEqual(MAX_CHUNK_BYTES);
    expect(chunks.length).toBeGreaterThan(3);
  });

  test('splits one vector that is larger than a chunk', async () => {
    const chunks = await encodeChunks(encoding, makeRows(1, 400_000), options);
    expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThanOrEqual(MAX_CHUNK_BYTES);
  });

  test('reads rows only as chunks are requested', async () => {
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
    // One row group of Parquet; less for the other formats.
    expect(given).toBeLessThan(6000);
  });

  test.each([
    ['fewer rows than declared', 4, { rows: 5, dim: 2 }, 'expected 5 rows, got 4'],
    ['more rows than declared', 4, { rows: 3, dim: 2 }, 'expected 3 rows, got at least 4'],
    ['vectors with a different dimension', 4, { rows: 4, dim: 3 }, 'expected vectors of 3 floats, got 2'],
  ])('rejects %s', async (_, count, shape, problem) => {
    const file = collect(encoding.encode(sliceAt(makeRows(count, 2), [2]), shape, options));
    await expect(file).rejects.toMatchObject({
      code: 'wrong-shape',
      message: expect.stringContaining(problem),
    });
  });

  test('rejects an inconsistent slice', async () => {
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
