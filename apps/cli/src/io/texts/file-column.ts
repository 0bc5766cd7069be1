/** Adds a column with the name of each row's file (`--file-column`). */

import type { FieldsRow } from '@embedmill/core/formats';

/**
 * The rows with one more column.
 * @param column name of the column
 * @param name of the file
 */
export async function* addFileColumn(
  slices: AsyncIterable<FieldsRow[]>,
  column: string,
  name: string,
): AsyncGenerator<FieldsRow[]> {
  const added = { name: column, type: { kind: 'string' } } as const;
  for await (const slice of slices) {
    yield slice.map((row) => {
      const { fields = { columns: [], values: [] } } = row;
      return 'json' in fields
        ? { ...row, fields: { json: { ...fields.json, [column]: name } } }
        : { ...row, fields: { columns: [...fields.columns, added], values: [...fields.values, name] } };
    });
  }
}
