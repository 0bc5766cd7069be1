/** Parses plain text: every line is a row, a blank one too, so that row n is always line n. */
import type { RowRead } from '@embedmill/contract';
import { faultOf } from './decode.ts';
import type { RawRecord } from './record.ts';
import type { RowSettings } from './types.ts';

/** The rows of these lines, in order, without ids. */
export function parseTxt(records: readonly RawRecord[], settings: RowSettings): RowRead[] {
  return records.map(
    (record) =>
      faultOf(record, settings) ?? { ok: true, line: record.line, id: null, text: record.bytes.toString() },
  );
}
