/** Tests Arrow files with the Arrow library: types, record batches, halves and 8-bit integers. */

import type { VectorRows } from '@embedmill/contract';
import { arrow, type EncodeOptions } from '@embedmill/core/formats';
import { tableFromIPC } from 'apache-arrow';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeChunks, makeRows } from './vectors.ts';

/** Encodes rows and reads the file back. */
async function tableOf(rows: VectorRows, options: EncodeOptions = {}) {
  return tableFromIPC(Buffer.concat(await encodeChunks(arrow, rows, options)));
}

/** The bits of the halves in a float16 file of these floats. */
async function halvesOf(values: readonly number[]): Promise<number[]> {
  const rows = {
    ids: ['v'],
    dim: values.length,
    vectors: Float32Array.from(values),
    present: Uint8Array.of(1),
  };
  const table = await tableOf(rows, { dtype: 'float16' });
  return [...table.getChild('vector')!.get(0)];
}

describe('arrow', () => {
  test.each([
    ['float32', 'FixedSizeList[4]<Float32>', ['id', 'vector']],
    ['float16', 'FixedSizeList[4]<Float16>', ['id', 'vector']],
    ['int8', 'FixedSizeList[4]<Int8>', ['id', 'vector', 'scale']],
  ] as const)('keeps %s in lists of one size', async (dtype, type, names) => {
    const { schema } = await tableOf(makeRows(3, 4), { dtype });
    expect(schema.fields.map(({ name }) => name)).toEqual(names);
    expect(String(schema.fields[1]?.type)).toBe(type);
  });

  test('has record batches of 8 MiB, and starts and ends with the magic string', async () => {
    const rows = makeRows(5000, 1024, { absentEvery: 3 });
    const file = Buffer.concat(await encodeChunks(arrow, rows));
    expect(tableFromIPC(file).batches.map((batch) => batch.numRows)).toEqual([2048, 2048, 904]);
    expect(file.toString('latin1', 0, 8)).toBe('ARROW1\0\0');
    expect(file.toString('latin1', file.length - 6)).toBe('ARROW1');
  });
});

describe('a half', () => {
  test.each([
    [1, 1],
    [-2, -2],
    [0.1, 0.0999755859375],
    [65504, 65504],
    [65520, Number.POSITIVE_INFINITY],
    [2 ** -24, 2 ** -24],
    [2 ** -25, 0],
    [3 * 2 ** -25, 2 ** -23],
    // Ties: 1 + 2^-11 lies between 1 and 1 + 2^-10, whose last bit is odd.
    [1 + 2 ** -11, 1],
    [1 + 3 * 2 ** -11, 1 + 2 ** -9],
  ])('of %d is %d', async (value, half) => {
    expect(await halvesOf([value])).toEqual([half]);
  });

  test('is the nearest half', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.float({ min: -1, max: 1, noNaN: true }), { minLength: 1 }),
        async (values) => {
          const halves = await halvesOf(values);
          for (const [n, value] of values.entries()) {
            // Eleven bits of significand; the minimum exponent is −14.
            const step = 2 ** (Math.max(-14, Math.floor(Math.log2(Math.abs(value) || 1))) - 10);
            expect(Math.abs(halves[n]! - value)).toBeLessThanOrEqual(step / 2);
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});

test('8-bit numbers times the scale of their row are within half a step of the floats', async () => {
  const rows = makeRows(40, 24, { absentEvery: 5 });
  const table = await tableOf(rows, { dtype: 'int8' });
  for (let row = 0; row < 40; row++) {
    const scale = table.getChild('scale')!.get(row) as number;
    const bytes = table.getChild('vector')!.get(row);
    if (rows.present[row] === 0) {
      expect([bytes, scale]).toEqual([null, 0]);
      continue;
    }
    const numbers = [...bytes] as number[];
    expect(Math.max(...numbers.map(Math.abs))).toBe(127);
    for (const [i, number] of numbers.entries()) {
      expect(Math.abs(number * scale - rows.vectors[row * 24 + i]!)).toBeLessThanOrEqual(scale * 0.5001);
    }
  }
});
