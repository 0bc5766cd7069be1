/** Batch payloads keep texts unchanged and reject damaged bytes. */

import { CorruptError } from '@embedmill/contract';
import { encodeBatchPayload, readBatchPayload } from '@embedmill/core/batch';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AWKWARD_TEXTS, EMPTY_TEXTS } from '../../support/texts.ts';

describe('a batch payload', () => {
  it('returns every well-formed text unchanged', () => {
    const wellFormed = fc.string({ unit: 'binary' }).map((text) => Buffer.from(text).toString());
    fc.assert(
      fc.property(fc.array(wellFormed), (texts) => {
        const payload = readBatchPayload(encodeBatchPayload(texts));
        expect(Array.from({ length: payload.rows }, (_, row) => payload.text(row))).toEqual(texts);
      }),
    );
  });

  it('keeps awkward and empty texts separate', () => {
    const texts = [...AWKWARD_TEXTS, ...EMPTY_TEXTS, ...AWKWARD_TEXTS];
    const payload = readBatchPayload(encodeBatchPayload(texts));
    expect(texts.map((_, row) => payload.text(row))).toEqual(texts);
  });

  it('turns an unpaired surrogate into U+FFFD', () => {
    expect(readBatchPayload(encodeBatchPayload(['a\ud800b'])).text(0)).toBe('a\ufffdb');
  });

  it('has its own buffer, so that it can be transferred', () => {
    const bytes = encodeBatchPayload(['one', 'two']);
    expect(bytes.byteOffset).toBe(0);
    expect(bytes.byteLength).toBe(bytes.buffer.byteLength);
  });

  it.each([
    ['empty', new Uint8Array(0)],
    ['other bytes', Buffer.from('hello, world')],
    ['a truncated payload', encodeBatchPayload(['one', 'two']).subarray(0, -1)],
    ['a payload with trailing bytes', Buffer.concat([encodeBatchPayload(['one']), Buffer.from('x')])],
  ])('is rejected when it is %s', (_, bytes) => {
    expect(() => readBatchPayload(bytes)).toThrow(CorruptError);
  });

  it('is rejected when any bit is flipped', () => {
    const bytes = encodeBatchPayload(['a kettle', '', 'two boots']);
    for (let bit = 0; bit < 8 * bytes.byteLength; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => readBatchPayload(damaged), `bit ${bit}`).toThrow(CorruptError);
    }
  });
});
