/** Batch results keep vectors and outcomes unchanged and reject damaged bytes. */

import { CorruptError, ROW_VERDICTS, type RowOutcome, summarizeOutcomes } from '@embedmill/contract';
import {
  type BatchResult,
  decodeBatchResult,
  decodeOutcomes,
  encodeBatchResult,
  peekBatchResult,
  summarizeResult,
} from '@embedmill/core/batch';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const outcome = fc.record({
  verdict: fc.constantFrom(...ROW_VERDICTS),
  tokens: fc.nat(256),
  lostTokens: fc.nat(100_000),
}) satisfies fc.Arbitrary<RowOutcome>;

const failed = fc
  .string({ minLength: 1 })
  .map((message): RowOutcome => ({ verdict: 'failed', tokens: 0, lostTokens: 0, message }));

const result = fc
  .record({
    outcomes: fc.array(fc.oneof(outcome, failed), { maxLength: 20 }),
    dim: fc.integer({ min: 1, max: 8 }),
    batch: fc.nat(),
  })
  .map(({ outcomes, dim, batch }): BatchResult => {
    const rows = outcomes.length;
    const vectors = Float32Array.from({ length: rows * dim }, (_, i) => Math.sin(i + batch));
    return {
      batch,
      rows,
      dim,
      precision: batch % 2 === 0 ? 'int8' : 'fp32',
      fingerprint: '0123456789abcdef',
      vectors,
      outcomes,
    };
  });

describe('a batch result', () => {
  it('returns vectors, verdicts and reasons bit for bit', () => {
    fc.assert(
      fc.property(result, (given) => {
        // A worker that states no revision of its treatment has that of this build.
        expect(decodeBatchResult(encodeBatchResult(given))).toEqual({
          treatment: 3,
          specialTokens: 0,
          ...given,
        });
        const stated = { ...given, treatment: 7, specialTokens: 2 };
        expect(decodeBatchResult(encodeBatchResult(stated))).toEqual(stated);
      }),
    );
  });

  it('counts the special tokens around each text and chunk', () => {
    const outcomes: RowOutcome[] = [
      { verdict: 'ok', tokens: 5, lostTokens: 0 },
      { verdict: 'truncated', tokens: 30, lostTokens: 4, chunks: 3 },
      { verdict: 'empty', tokens: 0, lostTokens: 0 },
      { verdict: 'failed', tokens: 0, lostTokens: 9, message: 'too long' },
    ];
    const header = { batch: 0, rows: 4, dim: 1, precision: 'int8', fingerprint: '0123456789abcdef' } as const;
    const bytes = encodeBatchResult({ ...header, vectors: new Float32Array(4), outcomes, specialTokens: 2 });
    expect(summarizeResult(bytes)).toMatchObject({ tokens: 35, specialTokens: 8 });
    expect(summarizeOutcomes(outcomes)).not.toHaveProperty('specialTokens');
  });

  it('gives its header and its outcomes without its vectors', () => {
    fc.assert(
      fc.property(result, (given) => {
        const { vectors: _, outcomes, ...header } = given;
        const bytes = encodeBatchResult(given);
        expect(peekBatchResult(bytes)).toEqual(header);
        expect(decodeOutcomes(bytes)).toEqual(outcomes);
      }),
    );
  });

  it('is rejected when any byte after the header differs', () => {
    fc.assert(
      fc.property(result, fc.nat(), fc.integer({ min: 1, max: 255 }), (given, at, change) => {
        fc.pre(given.rows > 0);
        const bytes = encodeBatchResult(given);
        const position = 32 + (at % (bytes.length - 32));
        bytes[position] = (bytes[position] ?? 0) ^ change;
        expect(() => decodeBatchResult(bytes)).toThrow(CorruptError);
      }),
    );
  });

  it('is rejected when it is truncated', () => {
    const bytes = encodeBatchResult({
      batch: 0,
      rows: 1,
      dim: 2,
      precision: 'int8',
      fingerprint: '00'.repeat(8),
      vectors: new Float32Array([0.6, 0.8]),
      outcomes: [{ verdict: 'ok', tokens: 3, lostTokens: 0 }],
    });
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => peekBatchResult(bytes.subarray(0, length))).toThrow(CorruptError);
    }
  });
});

describe('summarizeOutcomes', () => {
  it('counts verdicts and sums tokens', () => {
    expect(
      summarizeOutcomes([
        { verdict: 'ok', tokens: 7, lostTokens: 0 },
        { verdict: 'truncated', tokens: 256, lostTokens: 40 },
        { verdict: 'empty', tokens: 0, lostTokens: 0 },
        { verdict: 'ok', tokens: 5, lostTokens: 0 },
      ]),
    ).toEqual({
      rows: 4,
      verdicts: { ok: 2, truncated: 1, empty: 1, failed: 0 },
      tokens: 268,
      lostTokens: 40,
    });
  });
});
