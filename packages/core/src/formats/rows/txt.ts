/** Parses plain text: every line, blank or not, is a row, so that row n is always line n. */

import type { RowRead } from '@embedmill/contract';
import { faultOf } from './decode.ts';
import type { RawRecord } from './record.ts';
import type { RowSettings } from './types.ts';

/** Parses lines into rows without ids, in order. */
export function parseTxt(records: readonly RawRecord[], settings: RowSettings): RowRead[] {
  return records.map(
    (record) =>
      faultOf(record, settings) ?? { ok: true, line: record.line, id: null, text: record.bytes.toString() },
  );
}
