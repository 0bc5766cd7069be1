/** Sizes of batches: by options, by the measured rate of the workers, and by bytes. */

import { batchLimits } from '@embedmill/core/runs';
import { describe, expect, test } from 'vitest';

const BY_RATE = { batchRows: null, batchTokens: null };

describe('a batch', () => {
  test('has the default size while no worker has reported its rate', () => {
    expect(batchLimits(BY_RATE, undefined, 384)).toEqual({ rows: 252, tokens: 8192 });
  });

  test('takes a thread about 0.5 s', () => {
    expect(batchLimits(BY_RATE, 28_000, 384)).toEqual({ rows: 504, tokens: 14_000 });
    expect(batchLimits(BY_RATE, 2_000_000, 384)).toEqual({ rows: 2016, tokens: 1_000_000 });
  });

  test('is neither tiny with a slow model nor unlimited with a fast one', () => {
    expect(batchLimits(BY_RATE, 100, 384)).toEqual({ rows: 252, tokens: 2048 });
    expect(batchLimits(BY_RATE, 1e9, 384).tokens).toBe(1_000_000);
  });

  test('has at most 4 MiB of vectors', () => {
    expect(batchLimits(BY_RATE, 2_000_000, 1024).rows).toBe(1008);
  });

  test('has the size that the run was created with, whatever the rate', () => {
    const given = { batchRows: 7, batchTokens: 100 };
    expect(batchLimits(given, 2_000_000, 384)).toEqual({ rows: 7, tokens: 100 });
    const large = { batchRows: 4096, batchTokens: null };
    expect(batchLimits(large, undefined, 1024).rows).toBe(4096);
    // 16 MB of vectors.
    expect(batchLimits(large, undefined, 4096).rows).toBe(1024);
  });
});
