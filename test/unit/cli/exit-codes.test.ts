/** Exit codes of errors. */

import { ApiError } from '@embedmill/client';
import { ConfigError, EmbedmillError, UnavailableError } from '@embedmill/contract';
import { expect, test } from 'vitest';
import { EXIT, exitCodeOf, Interrupted, UsageError } from '../../../apps/cli/src/shell/exit-codes.ts';

test.each([
  [new UsageError('no such option'), EXIT.usage],
  [new ConfigError(['PORT: expected a port']), EXIT.usage],
  [new EmbedmillError('missing-column', 'no column'), EXIT.usage],
  [new Interrupted(), EXIT.interrupted],
  [new UnavailableError('redis-missing', 'no Redis'), EXIT.failure],
  [new ApiError('unknown-run', 'no run', { status: 404, problem: {}, requestId: null }), EXIT.failure],
  [new Error('an internal error'), EXIT.failure],
  ['a value that is not an Error', EXIT.failure],
])('%s leads to exit code %i', (error, code) => {
  expect(exitCodeOf(error)).toBe(code);
});

test('the codes match the documentation', () => {
  expect(EXIT).toEqual({ ok: 0, failure: 1, usage: 2, rowsWithoutVector: 3, interrupted: 130 });
});
