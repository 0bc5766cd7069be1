/** Writes the columns of the input into Parquet, with their types. */

import type { FileMetaData, SchemaElement } from 'hyparquet';
import { parquetSchema } from 'hyparquet';
import type { ByteWriter } from 'hyparquet-writer';
import { writeColumn } from 'hyparquet-writer/src/column.js';
import { encodeNestedValues } from 'hyparquet-writer/src/dremel.js';
import { snappyCompress } from 'hyparquet-writer/src/snappy.js';
import type { Column, ColumnValues, DataType, TimeUnit } from '../tables/types.ts';
import { jsonText, toJson } from '../tables/values.ts';
import { MAX_CHUNK_BYTES } from './chunks.ts';

type ColumnChunk = FileMetaData['row_groups'][number]['columns'][number];
type SchemaNode = ReturnType<typeof parquetSchema>;

/** Bytes of a 128-bit decimal. */
const DECIMAL_BYTES = 16;

/** Maximum digits of decimals that fit 32 and 64 bits. */
const [MAX_DIGITS_32, MAX_DIGITS_64] = [9, 18];

/** Parquet has no seconds. */
const UNITS: Readonly<Record<TimeUnit, 'MILLIS' | 'MICROS' | 'NANOS'>> = {
  s: 'MILLIS',
  ms: 'MILLIS',
  us: 'MICROS',
  ns: 'NANOS',
};

/** The schema of a column, depth first. */
export function elementsOf({ name, type }: Column): SchemaElement[] {
  const optional = { name, repetition_type: 'OPTIONAL' } as const;
  switch (type.kind) {
    case 'boolean':
      return [{ ...optional, type: 'BOOLEAN' }];
    case 'integer':
      return [{ ...optional, ...integerElement(type) }];
    case 'float':
      if (type.bits !== 16) return [{ ...optional, type: type.bits === 32 ? 'FLOAT' : 'DOUBLE' }];
      return [
        { ...optional, type: 'FIXED_LEN_BYTE_ARRAY', type_length: 2, logical_type: { type: 'FLOAT16' } },
      ];
    case 'decimal':
      return [{ ...optional, ...decimalElement(type) }];
    case 'binary':
      return [{ ...optional, type: 'BYTE_ARRAY' }];
    case 'date':
      return [{ ...optional, type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } }];
    case 'time': {
      const unit = UNITS[type.unit];
      const logical = { type: 'TIME', isAdjustedToUTC: false, unit } as const;
      return [{ ...optional, type: unit === 'MILLIS' ? 'INT32' : 'INT64', logical_type: logical }];
    }
    case 'timestamp': {
      const logical = { type: 'TIMESTAMP', isAdjustedToUTC: type.utc, unit: UNITS[type.unit] } as const;
      return [{ ...optional, type: 'INT64', logical_type: logical }];
    }
    case 'list':
      return [
        { ...optional, num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        ...elementsOf({ name: 'element', type: type.item }),
      ];
    case 'struct':
      return [{ ...optional, num_children: type.fields.length }, ...type.fields.flatMap(elementsOf)];
    default:
      return [{ ...optional, type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } }];
  }
}

function integerElement({ bits, signed }: { bits: number; signed: boolean }): Omit<SchemaElement, 'name'> {
  if (bits === 64 && signed) return { type: 'INT64' };
  if (bits === 32 && signed) return { type: 'INT32' };
  return {
    type: bits === 64 ? 'INT64' : 'INT32',
    // Without a logical type: hyparquet-writer 0.17 writes its width as a wrong thrift type.
    converted_type: `${signed ? 'INT' : 'UINT'}_${bits as 8 | 16 | 32 | 64}`,
  };
}

function decimalElement({
  precision,
  scale,
}: {
  precision: number;
  scale: number;
}): Omit<SchemaElement, 'name'> {
  const logical = {
    precision,
    scale,
    converted_type: 'DECIMAL',
    logical_type: { type: 'DECIMAL', precision, scale },
  } as const;
  if (precision <= MAX_DIGITS_32) return { type: 'INT32', ...logical };
  if (precision <= MAX_DIGITS_64) return { type: 'INT64', ...logical };
  return { type: 'FIXED_LEN_BYTE_ARRAY', type_length: DECIMAL_BYTES, ...logical };
}

/**
 * Writes the column chunks of a row group, packed with snappy; returns their footer entries.
 * @param values of the columns, all rows of the group
 */
export function writeInputColumns(
  writer: ByteWriter,
  columns: readonly Column[],
  values: ColumnValues,
): ColumnChunk[] {
  return columns.flatMap((column, n) => {
    const elements = elementsOf(column);
    const root = parquetSchema({ schema: [{ name: 'root', num_children: 1 }, ...elements] } as FileMetaData);
    const convert = storedValue(column.type);
    const rows =
      convert === null ? (values[n] ?? []) : (values[n] ?? []).map((value) => stored(value, convert));
    return leafPaths([root]).map((path) => writeLeaf(writer, path, rows));
  });
}

function writeLeaf(writer: ByteWriter, path: SchemaNode[], rows: readonly unknown[]): ColumnChunk {
  const schemaPath = path.map(({ element }) => element);
  const element = schemaPath.at(-1) as SchemaElement;
  return writeColumn({
    writer,
    column: {
      columnName: schemaPath
        .slice(1)
        .map(({ name }) => name)
        .join('.'),
      element,
      schemaPath,
      codec: 'SNAPPY',
      compressors: { SNAPPY: snappyCompress },
      stats: true,
      pageSize: MAX_CHUNK_BYTES,
      columnIndex: false,
      offsetIndex: false,
    },
    pageData: encodeNestedValues(path, rows as unknown[]),
  }).chunk;
}

function leafPaths(path: SchemaNode[]): SchemaNode[][] {
  const children = path.at(-1)?.children ?? [];
  return children.length === 0 ? [path] : children.flatMap((child) => leafPaths([...path, child]));
}

type Convert = (value: never) => unknown;

/** The conversion to what hyparquet-writer takes; `null` if values are taken as they are. */
function storedValue(type: DataType): Convert | null {
  switch (type.kind) {
    case 'json':
      return (value: unknown) => jsonText(toJson(value, type));
    case 'time':
      if (type.unit === 's') return (value: bigint) => Number(value) * 1000;
      return type.unit === 'ms' ? (value: bigint) => Number(value) : null;
    case 'timestamp':
      return type.unit === 's' ? (value: bigint) => value * 1000n : null;
    case 'list': {
      const convert = storedValue(type.item);
      return convert === null ? null : (list: unknown[]) => list.map((value) => stored(value, convert));
    }
    case 'struct': {
      const fields = type.fields.map(({ name, type: inner }) => ({ name, convert: storedValue(inner) }));
      if (fields.every(({ convert }) => convert === null)) return null;
      return (struct: Readonly<Record<string, unknown>>) =>
        Object.fromEntries(
          fields.map(({ name, convert }) => [
            name,
            convert === null ? struct[name] : stored(struct[name], convert),
          ]),
        );
    }
    default:
      return null;
  }
}

function stored(value: unknown, convert: Convert): unknown {
  return value === null || value === undefined ? null : convert(value as never);
}
