/** Reads the columns that vector files have beside their vectors, slice by slice. */

import { createReadStream } from 'node:fs';
import {
  type Column,
  type ColumnValues,
  type FieldsRow,
  openFileBytes,
  openTable,
  readRows,
  type TableFormat,
} from '@embedmill/core/formats';
import { MAX_LINE_BYTES } from './lines.ts';

/** Some rows as objects, without their id and vector. */
export interface StoredObjects {
  readonly ids: readonly string[];
  readonly objects: readonly Readonly<Record<string, unknown>>[];
}

/** Some rows as objects, or as typed columns without id and vector. */
export type StoredColumns =
  | StoredObjects
  | { readonly ids: readonly string[]; readonly columns: readonly Column[]; readonly values: ColumnValues };

/**
 * The columns of all rows of a Parquet or Arrow file, in order. Rows without an id have an empty one.
 * @param only names of the columns to read. Default: all
 */
export async function* readTableColumns(
  path: string,
  format: TableFormat,
  only?: readonly string[],
): AsyncGenerator<StoredColumns> {
  const bytes = await openFileBytes(path);
  try {
    const table = await openTable(format, bytes);
    const columns = inputColumns(table.columns, only);
    const hasIds = table.columns.some(({ name }) => name === 'id');
    const names = [...(hasIds ? ['id'] : []), ...columns.map(({ name }) => name)];
    for await (const { rows, values } of table.read({ columns: names })) {
      const ids = hasIds ? (values[0] ?? []) : new Array<string>(rows).fill('');
      yield { ids: ids.map(String), columns, values: hasIds ? values.slice(1) : values };
    }
  } finally {
    await bytes.close();
  }
}

/**
 * The columns of a table that are neither id nor vector, nor the scale of an int8 vector.
 * @param only names of the columns to take. Default: all
 */
export function inputColumns(columns: readonly Column[], only?: readonly string[]): Column[] {
  const vector = columns.find(({ name }) => name === 'vector')?.type;
  const hasScale = vector?.kind === 'list' && vector.item.kind === 'integer';
  const own = new Set(['id', 'vector', ...(hasScale ? ['scale'] : [])]);
  return columns.filter(({ name }) => !own.has(name) && only?.includes(name) !== false);
}

/** The columns of all lines of a JSON lines file, in order. */
export async function* readLineColumns(path: string): AsyncGenerator<StoredObjects> {
  const options = { format: 'jsonl', keepFields: true, maxRowBytes: MAX_LINE_BYTES } as const;
  for await (const slice of readRows(createReadStream(path), options)) {
    yield {
      ids: slice.map(({ id }) => id ?? ''),
      objects: slice.map(({ fields }) =>
        fields !== undefined && 'json' in fields ? inputFields(fields.json) : {},
      ),
    };
  }
}

/** The fields of an object that are not those of its vector. */
function inputFields(json: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { id, vector, dtype, scale, ...rest } = json;
  const fields: Record<string, unknown> = rest;
  const isText = typeof vector === 'string';
  const isScaled = typeof scale === 'number' && (isText || isInt8(vector));
  if (dtype !== undefined && !(isText && (dtype === 'float16' || dtype === 'int8'))) fields.dtype = dtype;
  if (scale !== undefined && !isScaled) fields.scale = scale;
  return fields;
}

function isInt8(vector: unknown): boolean {
  return (
    Array.isArray(vector) && vector.every((value) => Number.isInteger(value) && value >= -128 && value < 128)
  );
}

/** The rows with their columns, as a column spool records them. */
export async function* toFieldsRows(slices: AsyncIterable<StoredColumns>): AsyncGenerator<FieldsRow[]> {
  for await (const slice of slices) {
    yield slice.ids.map((id, n) => ({
      ...{ ok: true, line: 0, id, text: '' },
      fields:
        'objects' in slice
          ? { json: slice.objects[n] ?? {} }
          : { columns: slice.columns, values: slice.values.map((column) => column[n] ?? null) },
    }));
  }
}
