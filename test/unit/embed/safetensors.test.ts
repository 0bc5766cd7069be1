/** Tests the reader of weight files: values of each type, and errors for damaged files. */

import { describe, expect, test } from 'vitest';
import { Safetensors } from '../../../packages/embed/src/compile/weights/safetensors.ts';
import { safetensorsFile } from './safetensors-file.ts';

const halves = new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x3555, 0x0001, 0x7bff, 0x8000).buffer);

describe('a safetensors file', () => {
  test('returns F16, BF16 and F32 tensors as float32 without loss', () => {
    const file = Safetensors.parse(
      'small.safetensors',
      safetensorsFile({
        odd: { dtype: 'U8', shape: [1], bytes: Uint8Array.of(7) },
        half: { dtype: 'F16', shape: [2, 3], bytes: halves },
        brain: { dtype: 'BF16', shape: [2], bytes: new Uint8Array(Uint16Array.of(0x3f80, 0xc2f7).buffer) },
        full: { dtype: 'F32', shape: [2], bytes: new Uint8Array(Float32Array.of(0.1, -3).buffer) },
      }),
    );
    expect([...file.tensor('half', [2, 3]).values]).toEqual([1, -2, 0.333251953125, 2 ** -24, 65504, -0]);
    expect([...file.tensor('brain', [2]).values]).toEqual([1, -123.5]);
    expect(file.tensor('full', [2]).values).toEqual(Float32Array.of(0.1, -3));
  });

  test('with a tensor that is missing or has another shape or type is rejected with its name', () => {
    const file = Safetensors.parse(
      'small.safetensors',
      safetensorsFile({
        half: { dtype: 'F16', shape: [2, 3], bytes: halves },
        integers: { dtype: 'I64', shape: [1], bytes: new Uint8Array(8) },
      }),
    );
    expect(() => file.tensor('pooler', [1])).toThrow('"small.safetensors" has no tensor "pooler"');
    expect(() => file.tensor('half', [3, 2])).toThrow('has shape 2x3, expected 3x2');
    expect(() => file.tensor('integers', [1])).toThrow('is I64 in 8 bytes, expected 1 values');
  });

  test('truncated at any position is rejected', () => {
    const whole = safetensorsFile({ half: { dtype: 'F16', shape: [2, 3], bytes: halves } });
    for (const bytes of [0, 7, 8, 20, whole.byteLength - 1]) {
      expect(() => Safetensors.parse('cut.safetensors', whole.subarray(0, bytes))).toThrow(
        expect.objectContaining({ code: 'MODEL_INVALID' }),
      );
    }
  });
});
