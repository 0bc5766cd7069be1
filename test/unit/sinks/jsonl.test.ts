/** Tests that the numbers in JSON lines are exact and as short as possible. */
import { type EncodeOptions, jsonl } from '@embedmill/core/formats';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeChunks, halfOf, makeRows } from './vectors.ts';

const bits = new DataView(new ArrayBuffer(4));

function floatOf(pattern: number): number {
  bits.setUint32(0, pattern);
  return bits.getFloat32(0);
}

/** The decimals that the encoder writes for one vector. */
async function spell(values: readonly number[], options: EncodeOptions = {}): Promise<string[]> {
  const row = {
    ids: ['v'],
    dim: values.length,
    vectors: Float32Array.from(values),
    present: Uint8Array.of(1),
  };
  const line = Buffer.concat(await encodeChunks(jsonl, row, options)).toString();
  return line.slice('{"id":"v","vector":['.length, -']}\n'.length).split(',');
}

/** Significant digits of a decimal, without sign, point, exponent and outer zeros. */
function digitCount(text: string): number {
  return text.replace(/e.*$/, '').replace(/[-.]/g, '').replace(/^0+/, '').replace(/0+$/, '').length;
}

/** The minimum number of digits with which a rounding of `value` reads back as the same float32. */
function fewestDigits(value: number): number {
  for (let count = 1; count < 9; count++) {
    if (Math.fround(Number(value.toPrecision(count))) === value) return digitCount(value.toPrecision(count));
  }
  return 9;
}

describe('a float in JSON lines', () => {
  test.each([
    [0, '0'],
    [-0, '-0'],
    [1, '1'],
    [-0.5, '-0.5'],
    [0.1, '0.1'],
    [0.0625, '0.0625'],
    [16777216, '16777216'],
    [123456.7, '123456.7'],
    [100000, '100000'],
    [0.000001, '0.000001'],
    [1e-8, '1e-8'],
    [3.4028234663852886e38, '3.4028235e+38'],
    [1.401298464324817e-45, '1e-45'],
    [Number.NaN, 'null'],
    [Number.NEGATIVE_INFINITY, 'null'],
  ])('%d is written %s', async (value, text) => {
    expect(await spell([value])).toEqual([text]);
  });

  test('reads back as the same bits and is as short as possible', async () => {
    const anyFloat = fc.integer({ min: 0, max: 0xffffffff }).map(floatOf).filter(Number.isFinite);
    const embeddingFloat = fc.float({ min: -1, max: 1, noNaN: true });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(anyFloat, embeddingFloat), { minLength: 1 }), async (values) => {
        const texts = await spell(values);
        for (const [n, value] of values.entries()) {
          const text = texts[n] ?? '';
          expect(Object.is(Math.fround(JSON.parse(text)), value), `${text} for ${value}`).toBe(true);
          expect(digitCount(text), `${text} for ${value}`).toBeLessThanOrEqual(fewestDigits(value));
        }
      }),
      { numRuns: 1000 },
    );
  });
});

test('every half reads back as the same half and is as short as possible', async () => {
  const finite = Array.from({ length: 0x10000 }, (_, bits) => bits).filter(
    (bits) => ((bits >> 10) & 0x1f) !== 0x1f,
  );
  const values = finite.map(halfOf);
  const texts = await spell(values, { dtype: 'float16' });
  const magnitudes = [...new Set(values.map(Math.abs))].sort((a, b) => a - b);
  const place = new Map(magnitudes.map((value, n) => [value, n]));
  // Whether the decimal rounds to this half, ties to even; computed in doubles, which represent all halves exactly.
  const means = (text: string, value: number) => {
    if (value === 0) return Object.is(Number(text), value);
    const n = place.get(Math.abs(value))!;
    const off = Math.abs(Number(text)) - magnitudes[n]!;
    const gap =
      off < 0 ? magnitudes[n]! - magnitudes[n - 1]! : (magnitudes[n + 1] ?? 65_536) - magnitudes[n]!;
    return Math.abs(off) < gap / 2 || (Math.abs(off) === gap / 2 && n % 2 === 0);
  };
  const wrong = values.filter((value, n) => {
    const text = texts[n]!;
    const shorter = Number(value.toPrecision(Math.max(1, digitCount(text) - 1)));
    return !means(text, value) || (digitCount(text) > 1 && means(String(shorter), value));
  });
  expect(wrong).toEqual([]);
});

test('base64 holds the little-endian bytes', async () => {
  const rows = makeRows(2, 3, { absentEvery: 2 });
  const lines = Buffer.concat(await encodeChunks(jsonl, rows, { encoding: 'base64' }))
    .toString()
    .split('\n');
  const first = JSON.parse(lines[0] ?? '');
  const bytes = Buffer.from(first.vector, 'base64');
  expect([0, 4, 8].map((at) => bytes.readFloatLE(at))).toEqual([...rows.vectors.slice(0, 3)]);
  expect(lines.slice(1)).toEqual(['{"id":"row-1","vector":null}', '']);
});
