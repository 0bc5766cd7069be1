/** Opens tables by their format. */

import type { Field } from 'apache-arrow';
import type { DatabaseFormat, InputFormat } from '../plan/types.ts';
import type { ArrowBatchReader } from './arrow.ts';
import type { RandomBytes, Table } from './types.ts';

/** Formats of files with tables. */
export type TableFormat = Extract<InputFormat, 'parquet' | 'arrow'>;

/** Whether an input is a file with a table. */
export function isTableFile(format: InputFormat | DatabaseFormat): format is TableFormat {
  return format === 'parquet' || format === 'arrow';
}

/** Whether an input is a table, which states its columns and their types. */
export function isTableFormat(format: InputFormat | DatabaseFormat): format is TableFormat | DatabaseFormat {
  return isTableFile(format) || format === 'lance' || format === 'query';
}

/**
 * Opens a table; loads the reader of its format.
 * @throws {CorruptError} if the file is damaged
 */
export async function openTable(format: TableFormat, bytes: RandomBytes): Promise<Table> {
  if (format === 'parquet') return (await import('./parquet.ts')).openParquetTable(bytes);
  return (await import('./arrow.ts')).openArrowTable(bytes);
}

/** A reader of the record batches with these fields, which another library read. */
export async function openArrowBatches(fields: readonly Field[]): Promise<ArrowBatchReader> {
  return (await import('./arrow.ts')).openArrowBatchReader(fields);
}
