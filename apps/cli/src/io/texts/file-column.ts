/** Adds a column with the name of each row's file (`--file-column`). */

import { quote } from '@embedmill/contract';
import type { FieldsRow } from '@embedmill/core/formats';
import { UsageError } from '../../shell/exit-codes.ts';

/**
 * The rows with one more column.
 * @param column name of the column
 * @param name of the file
 * @throws {UsageError} if a JSON object has a field with that name, which no plan may have seen
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
      if ('json' in fields) {
        if (Object.hasOwn(fields.json, column)) throw taken(column, row.line);
        return { ...row, fields: { json: { ...fields.json, [column]: name } } };
      }
      return { ...row, fields: { columns: [...fields.columns, added], values: [...fields.values, name] } };
    });
  }
}

function taken(column: string, line: number): UsageError {
  return new UsageError(
    `--file-column names ${quote(column)}, which the object in line ${line} has too; expected another name`,
  );
}
