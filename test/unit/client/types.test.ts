/** The client's types are those of the producer; the type checker is what tests here. */

import type * as client from '@embedmill/client';
import type * as core from '@embedmill/core';
import { expectTypeOf, test } from 'vitest';

test('what the producer says is what the client says that it says', () => {
  expectTypeOf<client.RunInfo>().toEqualTypeOf<core.RunInfo>();
  expectTypeOf<client.RunOptions>().toEqualTypeOf<core.RunOptions>();
  // The client does not name every code that a row may be rejected with.
  expectTypeOf<core.PartReceipt>().toExtend<client.PartReceipt>();
  expectTypeOf<keyof client.PartReceipt>().toEqualTypeOf<keyof core.PartReceipt>();
  expectTypeOf<client.ReportRow>().toEqualTypeOf<core.ReportRow>();
  expectTypeOf<client.RunState>().toEqualTypeOf<core.RunState>();
});
