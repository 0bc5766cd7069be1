/** Turns a plan into the options of the row readers. */

import type { ReadRowsOptions } from '../rows/types.ts';
import { isTableFormat } from '../tables/open.ts';
import type { InputPlan } from './types.ts';

/**
 * The options that read an input as its plan says.
 * @throws {Error} for a table format, which has no records of text
 */
export function readingOf(
  { format, charset, lineEnd, dialect, textField, idField }: InputPlan,
  { maxRowBytes }: { maxRowBytes: number },
): ReadRowsOptions {
  if (isTableFormat(format)) {
    throw new Error(`internal error: ${format} has no records of text`);
  }
  return {
    format,
    charset,
    lineEnd: lineEnd === 'cr' ? 'cr' : 'lf',
    maxRowBytes,
    textField: textField ?? undefined,
    idField: idField ?? undefined,
    ...dialect,
  };
}
