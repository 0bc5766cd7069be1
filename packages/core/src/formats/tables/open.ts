/** Opens tables by their format. */

import type { InputFormat } from '../plan/types.ts';
import type { RandomBytes, Table } from './types.ts';

/** Formats of tables. */
export type TableFormat = Extract<InputFormat, 'parquet' | 'arrow'>;

/** Whether an input is a table, which states its columns and their types. */
export function isTableFormat(format: InputFormat): format is TableFormat {
  return format === 'parquet' || format === 'arrow';
}

/**
 * Opens a table; loads the reader of its format.
 * @throws {CorruptError} if the file is damaged
 */
export async function openTable(format: TableFormat, bytes: RandomBytes): Promise<Table> {
  const { NODE_CODECS } = await import('./node-codecs.ts');
  if (format === 'parquet') return (await import('./parquet.ts')).openParquetTable(bytes, NODE_CODECS);
  return (await import('./arrow.ts')).openArrowTable(bytes, NODE_CODECS);
}
