/** Writes the columns of the input into Arrow record batches, with their types. */

import { halvesOf } from '@embedmill/contract';
import type { DataType as ArrowType, Data, Field } from 'apache-arrow';
import type { Column, DataType, TimeUnit } from '../tables/types.ts';
import { jsonText, toJson } from '../tables/values.ts';

type Arrow = typeof import('apache-arrow');

const UNIT_NUMBERS: Readonly<Record<TimeUnit, 0 | 1 | 2 | 3>> = { s: 0, ms: 1, us: 2, ns: 3 };

/** Bits of a decimal, and 32-bit words. */
const DECIMAL_BITS = 128;
const DECIMAL_WORDS = 4;

/** The field of a column. */
export function fieldOf(library: Arrow, { name, type }: Column): Field {
  return new library.Field(name, arrowType(library, type), true);
}

function arrowType(library: Arrow, type: DataType): ArrowType {
  switch (type.kind) {
    case 'boolean':
      return new library.Bool();
    case 'integer':
      return new library.Int(type.signed, type.bits) as ArrowType;
    case 'float':
      return new { 16: library.Float16, 32: library.Float32, 64: library.Float64 }[type.bits]();
    case 'decimal':
      return new library.Decimal(type.scale, type.precision, DECIMAL_BITS);
    case 'binary':
      return new library.Binary();
    case 'date':
      return new library.DateDay();
    case 'time':
      return new library.Time(
        UNIT_NUMBERS[type.unit],
        type.unit === 's' || type.unit === 'ms' ? 32 : 64,
      ) as ArrowType;
    case 'timestamp':
      return new library.Timestamp(UNIT_NUMBERS[type.unit], type.utc ? 'UTC' : null) as ArrowType;
    case 'list':
      return new library.List(new library.Field('item', arrowType(library, type.item), true));
    case 'struct':
      return new library.Struct(type.fields.map((field) => fieldOf(library, field)));
    default:
      return new library.Utf8();
  }
}

/** The values of some rows of a column. */
export function dataOf(library: Arrow, type: DataType, values: readonly unknown[]): Data {
  const { makeData } = library;
  const arrow = arrowType(library, type);
  const { nullBitmap, nullCount } = validityOf(values);
  const made = (rest: object): Data =>
    makeData({
      type: arrow,
      length: values.length,
      nullCount,
      nullBitmap,
      ...rest,
    } as never) as unknown as Data;
  switch (type.kind) {
    case 'boolean':
      return made({ data: bitsOf(values, (value) => value === true) });
    case 'list': {
      const valueOffsets = new Int32Array(values.length + 1);
      const items: unknown[] = [];
      for (const [n, list] of values.entries()) {
        for (const item of (list as unknown[] | null) ?? []) items.push(item);
        valueOffsets[n + 1] = items.length;
      }
      return made({ valueOffsets, child: dataOf(library, type.item, items) });
    }
    case 'struct':
      return made({
        children: type.fields.map((field) =>
          dataOf(
            library,
            field.type,
            values.map((value) => (value as Record<string, unknown> | null)?.[field.name] ?? null),
          ),
        ),
      });
    case 'string':
    case 'binary':
    case 'json':
    case 'null':
      return made(bytesOf(values, type));
    default:
      return made({ data: numbersOf(type, values) });
  }
}

function validityOf(values: readonly unknown[]): { nullBitmap: Uint8Array; nullCount: number } {
  const nullBitmap = bitsOf(values, (value) => value !== null && value !== undefined);
  const nullCount = values.reduce<number>(
    (sum, value) => sum + (value === null || value === undefined ? 1 : 0),
    0,
  );
  return { nullBitmap, nullCount };
}

function bitsOf(values: readonly unknown[], isSet: (value: unknown) => boolean): Uint8Array {
  const bits = new Uint8Array(Math.ceil(values.length / 64) * 8);
  for (const [n, value] of values.entries())
    if (isSet(value)) bits[n >> 3] = (bits[n >> 3] ?? 0) | (1 << (n & 7));
  return bits;
}

function bytesOf(values: readonly unknown[], type: DataType): { valueOffsets: Int32Array; data: Uint8Array } {
  const valueOffsets = new Int32Array(values.length + 1);
  const parts = values.map((value) => {
    if (value === null || value === undefined) return Buffer.alloc(0);
    if (type.kind === 'binary') return Buffer.from(value as Uint8Array);
    return Buffer.from(type.kind === 'json' ? jsonText(toJson(value, type)) : String(value));
  });
  let length = 0;
  for (const [n, part] of parts.entries()) {
    length += part.length;
    valueOffsets[n + 1] = length;
  }
  return { valueOffsets, data: new Uint8Array(Buffer.concat(parts)) };
}

type NumberType =
  | Extract<DataType, { kind: 'integer' | 'float' | 'decimal' | 'time' | 'timestamp' }>
  | { kind: 'date' };

function numbersOf(type: DataType, values: readonly unknown[]): ArrayBufferView {
  const fixed = type as NumberType;
  if (fixed.kind === 'decimal') return decimalsOf(values as readonly (bigint | null)[]);
  const numbers = emptyNumbers(fixed, values.length);
  const isBig = numbers instanceof BigInt64Array || numbers instanceof BigUint64Array;
  if (fixed.kind === 'float' && fixed.bits === 16) {
    return halvesOf(Float32Array.from(values, (value) => (value as number | null) ?? 0));
  }
  for (const [n, value] of values.entries()) {
    if (value === null || value === undefined) continue;
    if (isBig) numbers[n] = BigInt(value as bigint);
    else numbers[n] = Number(value);
  }
  return numbers;
}

function emptyNumbers(type: Exclude<NumberType, { kind: 'decimal' }>, length: number) {
  if (type.kind === 'date') return new Int32Array(length);
  if (type.kind === 'timestamp') return new BigInt64Array(length);
  if (type.kind === 'time') {
    return type.unit === 's' || type.unit === 'ms' ? new Int32Array(length) : new BigInt64Array(length);
  }
  if (type.kind === 'float') {
    return type.bits === 64 ? new Float64Array(length) : new Float32Array(length);
  }
  const arrays = type.signed
    ? { 8: Int8Array, 16: Int16Array, 32: Int32Array, 64: BigInt64Array }
    : { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array, 64: BigUint64Array };
  return new arrays[type.bits](length);
}

/** Words in little-endian order, in two's complement. */
function decimalsOf(values: readonly (bigint | null)[]): Uint32Array {
  const words = new Uint32Array(values.length * DECIMAL_WORDS);
  for (const [n, value] of values.entries()) {
    let rest = BigInt.asUintN(DECIMAL_BITS, value ?? 0n);
    for (let word = 0; word < DECIMAL_WORDS; word++, rest >>= 32n) {
      words[n * DECIMAL_WORDS + word] = Number(rest & 0xffffffffn);
    }
  }
  return words;
}
