/** The types of Parquet columns, and their values as tables represent them. */

import type { FileMetaData, SchemaElement } from 'hyparquet';
import { parquetSchema } from 'hyparquet';
import { isListLike, isMapLike } from 'hyparquet/src/schema.js';
import type { Column, DataType, TimeUnit } from './types.ts';
import { decimalText, toJson } from './values.ts';

/** A node of the schema; a leaf has no children. */
export type SchemaNode = ReturnType<typeof parquetSchema>;

/** A top-level column: its node, its type, and the conversion of what hyparquet decodes. */
export interface ParquetColumn extends Column {
  readonly node: SchemaNode;
  readonly convert: Convert;
}

/** Converts a decoded value that is not null. */
type Convert = (value: never) => unknown;

/** A type with the conversion of its values; `null` if the values are used as they are decoded. */
interface Reading {
  type: DataType;
  convert: Convert | null;
}

/** Maximum digits of decimals that the writers store: those of 128 bits. */
const MAX_PRECISION = 38;

const UNITS: Readonly<Record<string, TimeUnit>> = { MILLIS: 'ms', MICROS: 'us', NANOS: 'ns' };

/** The top-level columns of a file. */
export function columnsOf(metadata: FileMetaData): ParquetColumn[] {
  return parquetSchema(metadata).children.map((node) => {
    const { type, convert } = readingOf(node);
    return { name: node.element.name, type, node, convert: convert ?? ((value) => value) };
  });
}

/**
 * The metadata without the annotations from which hyparquet makes values that are less exact than the stored
 * ones: dates of milliseconds, and decimals as floats.
 */
export function withRawTypes(metadata: FileMetaData): FileMetaData {
  return { ...metadata, schema: metadata.schema.map(rawElement) };
}

function rawElement(element: SchemaElement): SchemaElement {
  const { type, converted_type: converted, logical_type: logical } = element;
  if (type === undefined || logical?.type === 'FLOAT16') return element;
  const { converted_type: _, logical_type: __, ...raw } = element;
  const isText =
    converted === 'UTF8' ||
    converted === 'ENUM' ||
    converted === 'JSON' ||
    logical?.type === 'STRING' ||
    logical?.type === 'ENUM' ||
    logical?.type === 'JSON';
  return isText ? { ...raw, converted_type: 'UTF8' } : raw;
}

function readingOf(node: SchemaNode): Reading {
  const { element, children } = node;
  const item =
    element.repetition_type === 'REPEATED'
      ? { ...node, element: { ...element, repetition_type: 'OPTIONAL' as const } }
      : null;
  // A repeated field outside of a list is a list of its own (LogicalTypes.md, "Lists").
  if (item !== null) return listOf(readingOf(item));
  if (children.length === 0) return leafReading(element);
  if (element.logical_type?.type === 'VARIANT' || isMapLike(node)) {
    return { type: { kind: 'json' }, convert: jsonConverter(node) };
  }
  if (isListLike(node)) {
    const [repeated] = children;
    const [only] = repeated?.children ?? [];
    // In files of old writers the repeated field is itself the element.
    return listOf(
      repeated === undefined
        ? leafReading(element)
        : only === undefined
          ? leafReading(repeated.element)
          : readingOf(only),
    );
  }
  return structOf(children.map((child) => ({ name: child.element.name, reading: readingOf(child) })));
}

function listOf({ type, convert }: Reading): Reading {
  return {
    type: { kind: 'list', item: type },
    convert: (list: ArrayLike<unknown>) => Array.from(list, (value) => converted(value, convert)),
  };
}

function structOf(fields: readonly { name: string; reading: Reading }[]): Reading {
  return {
    type: { kind: 'struct', fields: fields.map(({ name, reading }) => ({ name, type: reading.type })) },
    convert: (struct: Readonly<Record<string, unknown>>) =>
      Object.fromEntries(fields.map(({ name, reading }) => [name, converted(struct[name], reading.convert)])),
  };
}

function converted(value: unknown, convert: Convert | null): unknown {
  if (value === null || value === undefined) return null;
  return convert === null ? value : convert(value as never);
}

/** Maps become objects; their values are written as JSON. */
function jsonConverter(node: SchemaNode): Convert {
  const [, value] = node.children[0]?.children ?? [];
  if (!isMapLike(node) || value === undefined) return (given: unknown) => plain(given);
  const { type, convert } = readingOf(value);
  return (map: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(
      Object.entries(map).map(([key, inner]) => [key, toJson(converted(inner, convert), type)]),
    );
}

/** A value of the type VARIANT as JSON. */
function plain(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

function leafReading(element: SchemaElement): Reading {
  const { type, converted_type: convertedType, logical_type: logical } = element;
  if (convertedType === 'DECIMAL' || logical?.type === 'DECIMAL') return decimalReading(element);
  switch (type) {
    case 'BOOLEAN':
      return { type: { kind: 'boolean' }, convert: null };
    case 'INT32':
    case 'INT64':
      return integerReading(element);
    case 'INT96':
      return { type: { kind: 'timestamp', unit: 'ns', utc: false }, convert: null };
    case 'FLOAT':
      return { type: { kind: 'float', bits: 32 }, convert: null };
    case 'DOUBLE':
      return { type: { kind: 'float', bits: 64 }, convert: null };
    default:
      break;
  }
  if (logical?.type === 'FLOAT16') return { type: { kind: 'float', bits: 16 }, convert: null };
  if (logical?.type === 'UUID') return { type: { kind: 'string' }, convert: uuidOf };
  const isText = rawElement(element).converted_type === 'UTF8';
  return { type: { kind: isText ? 'string' : 'binary' }, convert: null };
}

function decimalReading({ type, precision, scale, logical_type: logical }: SchemaElement): Reading {
  const stated = logical?.type === 'DECIMAL' ? logical : null;
  const digits = precision ?? stated?.precision ?? MAX_PRECISION;
  const places = scale ?? stated?.scale ?? 0;
  const convert: Convert =
    type === 'INT32' || type === 'INT64' ? (value: number | bigint) => BigInt(value) : signedInteger;
  if (digits <= MAX_PRECISION)
    return { type: { kind: 'decimal', precision: digits, scale: places }, convert };
  return { type: { kind: 'string' }, convert: (value) => decimalText(convert(value) as bigint, places) };
}

function integerReading({
  type,
  converted_type: convertedType,
  logical_type: logical,
}: SchemaElement): Reading {
  const big: Convert = (value: number | bigint) => BigInt(value);
  if (convertedType === 'DATE' || logical?.type === 'DATE')
    return { type: { kind: 'date' }, convert: signed32 };
  const time = /^TIME_(MILLIS|MICROS)$/.exec(convertedType ?? '');
  if (logical?.type === 'TIME' || time !== null) {
    const unit = UNITS[(logical?.type === 'TIME' ? logical.unit : time?.[1]) ?? 'MILLIS'] ?? 'ms';
    return { type: { kind: 'time', unit }, convert: big };
  }
  const stamp = /^TIMESTAMP_(MILLIS|MICROS)$/.exec(convertedType ?? '');
  if (logical?.type === 'TIMESTAMP' || stamp !== null) {
    const unit = UNITS[(logical?.type === 'TIMESTAMP' ? logical.unit : stamp?.[1]) ?? 'MILLIS'] ?? 'ms';
    const utc = logical?.type === 'TIMESTAMP' ? logical.isAdjustedToUTC : true;
    return { type: { kind: 'timestamp', unit, utc }, convert: null };
  }
  const stated = /^(U?)INT_(8|16|32|64)$/.exec(convertedType ?? '');
  const isUnsigned = logical?.type === 'INTEGER' ? !logical.isSigned : stated?.[1] === 'U';
  const width =
    logical?.type === 'INTEGER' ? logical.bitWidth : Number(stated?.[2] ?? (type === 'INT64' ? 64 : 32));
  const bits = (type === 'INT64' ? 64 : width) as 8 | 16 | 32 | 64;
  let convert: Convert | null = signed32;
  if (bits === 64) convert = isUnsigned ? (value: bigint) => BigInt.asUintN(64, value) : null;
  else if (isUnsigned) convert = (value: number | bigint) => signed32(value) >>> 0;
  return { type: { kind: 'integer', bits, signed: !isUnsigned }, convert };
}

/** A 32-bit integer, which comes as a bigint if it was stored as a delta. */
function signed32(value: number | bigint): number {
  return typeof value === 'bigint' ? Number(BigInt.asIntN(32, value)) : value;
}

/** The integer in big-endian two's complement bytes. */
function signedInteger(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n;
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
}

function uuidOf(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
