/** Tests the .npy header, which NumPy reads and from which the API computes byte ranges. */
import { encodeIds, NPY_HEADER_BYTES, npy, npyHeader } from '@embedmill/core/formats';
import { describe, expect, test } from 'vitest';
import { collect, encodeChunks, makeRows, readNpy, sliceAt } from './vectors.ts';

describe('npy', () => {
  test.each([
    [0, 384],
    [1, 1],
    [1_000_000, 384],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ])('has a header of one length for %i × %i', (rows, dim) => {
    const header = npyHeader([rows, dim]);
    expect(header.length).toBe(NPY_HEADER_BYTES);
    expect(readNpy(Buffer.from(header))).toEqual({ descr: '<f4', shape: [rows, dim], numbers: [] });
  });

  test('stores row r at the documented offset', async () => {
    const rows = makeRows(9, 5);
    const file = Buffer.concat(await encodeChunks(npy, rows));
    const at = NPY_HEADER_BYTES + 6 * 5 * 4;
    expect(file.readFloatLE(at)).toBe(rows.vectors[30]);
    expect(file.length).toBe(NPY_HEADER_BYTES + 9 * 5 * 4);
  });

  test('takes half the bytes as float16 and a quarter as int8', async () => {
    const lengths = (['float32', 'float16', 'int8'] as const).map(async (dtype) => {
      const file = Buffer.concat(await encodeChunks(npy, makeRows(9, 5), { dtype }));
      return file.length - NPY_HEADER_BYTES;
    });
    expect(await Promise.all(lengths)).toEqual([180, 90, 45]);
  });

  test('stores zeros for a row without a vector', async () => {
    const file = Buffer.concat(await encodeChunks(npy, makeRows(4, 3, { absentEvery: 2 })));
    expect(readNpy(file).numbers.slice(3, 6)).toEqual([0, 0, 0]);
  });
});

test('ids are written as one object per line, with all characters escaped', async () => {
  const rows = { ...makeRows(3, 2), ids: ['plain', 'a "b"\n', 'ü😀\u2028'] };
  const text = Buffer.concat(await collect(encodeIds(sliceAt(rows, [2])))).toString();
  const lines = text.split('\n');
  expect(lines.pop()).toBe('');
  expect(lines.map((line) => JSON.parse(line))).toEqual(rows.ids.map((id) => ({ id })));
});
