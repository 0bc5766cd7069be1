/** Converts values between the types of columns, and to JSON. */

import { wellFormed } from '../rows/well-formed.ts';
import type { Column, DataType, TimeUnit } from './types.ts';

/** Units per second. */
const UNITS_PER_SECOND: Readonly<Record<TimeUnit, bigint>> = {
  s: 1n,
  ms: 1_000n,
  us: 1_000_000n,
  ns: 1_000_000_000n,
};

const SECONDS_PER_DAY = 86_400n;
const MS_PER_DAY = 86_400_000;

/** Days of the years that ISO 8601 writes with four digits: 0000 to 9999. */
const [MIN_ISO_DAY, MAX_ISO_DAY] = [-719_528, 2_932_896];

const NULL: DataType = { kind: 'null' };
const JSON_TYPE: DataType = { kind: 'json' };
const FLOAT64: DataType = { kind: 'float', bits: 64 };
const INT64: DataType = { kind: 'integer', bits: 64, signed: true };

/** Maximum fields of structs that are inferred, at all depths: objects used as dictionaries have more. */
const MAX_INFERRED_FIELDS = 200;

const [MIN_INT64, MAX_INT64] = [-(2n ** 63n), 2n ** 63n - 1n];

/**
 * The type that holds the values of both; values are converted with {@link convertValue}. Types without a
 * common one are combined as `json`.
 */
export function mergeTypes(a: DataType, b: DataType): DataType {
  if (a.kind === 'null') return b;
  if (b.kind === 'null' || sameType(a, b)) return a;
  if (a.kind === 'integer' && b.kind === 'integer') {
    const bits = Math.max(a.bits, b.bits) as 32;
    if (a.signed === b.signed) return { kind: 'integer', bits, signed: a.signed };
    return a.bits === 64 || b.bits === 64 ? JSON_TYPE : INT64;
  }
  if (isNumeric(a) && isNumeric(b)) return FLOAT64;
  if (a.kind === 'list' && b.kind === 'list') return { kind: 'list', item: mergeTypes(a.item, b.item) };
  if (a.kind === 'struct' && b.kind === 'struct') {
    const fields = mergeColumns(a.fields, b.fields);
    return countFields(fields) > MAX_INFERRED_FIELDS ? JSON_TYPE : { kind: 'struct', fields };
  }
  return JSON_TYPE;
}

/** The columns of both, in order of first appearance. */
export function mergeColumns(a: readonly Column[], b: readonly Column[]): Column[] {
  const types = new Map(a.map(({ name, type }) => [name, type]));
  for (const { name, type } of b) types.set(name, mergeTypes(types.get(name) ?? NULL, type));
  return [...types].map(([name, type]) => ({ name, type }));
}

function countFields(fields: readonly Column[]): number {
  return fields.reduce(
    (sum, { type }) => sum + 1 + (type.kind === 'struct' ? countFields(type.fields) : 0),
    0,
  );
}

function isNumeric({ kind }: DataType): boolean {
  return kind === 'integer' || kind === 'float' || kind === 'decimal';
}

function sameType(a: DataType, b: DataType): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The type of JSON values: numbers are 64-bit integers or floats. */
export function inferType(values: Iterable<unknown>): DataType {
  let type: DataType = NULL;
  for (const value of values) {
    const next = typeOfJson(value);
    if (next !== type) type = mergeTypes(type, next);
    if (type.kind === 'json') break;
  }
  return type;
}

const STRING: DataType = { kind: 'string' };
const BOOLEAN: DataType = { kind: 'boolean' };

function typeOfJson(value: unknown): DataType {
  switch (typeof value) {
    case 'string':
      return STRING;
    case 'boolean':
      return BOOLEAN;
    case 'number':
      // A float in one row may be whole in another; `1.0` is not distinguished from `1`.
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? INT64 : FLOAT64;
    case 'bigint':
      return value >= MIN_INT64 && value <= MAX_INT64 ? INT64 : JSON_TYPE;
    default:
      break;
  }
  if (value === null || value === undefined) return NULL;
  if (Array.isArray(value)) return { kind: 'list', item: inferType(value) };
  const fields = Object.entries(value as object).map(([name, inner]) => ({ name, type: typeOfJson(inner) }));
  // Neither Parquet nor Arrow readers agree on structs without fields.
  return fields.length === 0 || countFields(fields) > MAX_INFERRED_FIELDS
    ? JSON_TYPE
    : { kind: 'struct', fields };
}

/** A JSON value as the type that {@link inferType} found for it and others. */
export function fromJson(value: unknown, type: DataType): unknown {
  if (value === null || value === undefined) return null;
  if (type.kind === 'integer') return BigInt(value as number | bigint);
  if (type.kind === 'float') return Number(value);
  if (type.kind === 'list') return (value as unknown[]).map((inner) => fromJson(inner, type.item));
  if (type.kind !== 'struct') return value;
  const given = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    type.fields.map((field) => [
      field.name,
      Object.hasOwn(given, field.name) ? fromJson(given[field.name], field.type) : null,
    ]),
  );
}

/**
 * A value of a column of type `from` as one of type `to`, where `to` is the result of merging `from` with
 * other types.
 */
export function convertValue(value: unknown, from: DataType, to: DataType): unknown {
  if (value === null || value === undefined) return null;
  switch (to.kind) {
    case 'json':
      return from.kind === 'json' ? value : toJson(value, from);
    case 'integer':
      return to.bits === 64 ? BigInt(value as number) : Number(value);
    case 'float':
      return from.kind === 'decimal' ? Number(decimalText(value as bigint, from.scale)) : Number(value);
    case 'list': {
      const item = from.kind === 'list' ? from.item : to.item;
      return (value as unknown[]).map((inner) => convertValue(inner, item, to.item));
    }
    case 'struct': {
      const types = new Map(from.kind === 'struct' ? from.fields.map(({ name, type }) => [name, type]) : []);
      const given = value as Readonly<Record<string, unknown>>;
      return Object.fromEntries(
        to.fields.map(({ name, type }) => [
          name,
          Object.hasOwn(given, name) ? convertValue(given[name], types.get(name) ?? NULL, type) : null,
        ]),
      );
    }
    default:
      return value;
  }
}

/** A value as JSON shows it: times in ISO 8601, bytes in base64, decimals and large integers as digits. */
export function toJson(value: unknown, type: DataType): unknown {
  if (value === null || value === undefined) return null;
  switch (type.kind) {
    case 'integer':
      return typeof value === 'bigint' && isSafe(value) ? Number(value) : value;
    case 'float':
      return Number.isFinite(value) ? value : null;
    case 'decimal':
      return new JsonNumber(decimalText(value as bigint, type.scale));
    case 'binary':
      return Buffer.from(value as Uint8Array).toString('base64');
    case 'date':
      return dateText(value as number);
    case 'time':
      return timeText(value as bigint, type.unit);
    case 'timestamp':
      return timestampText(value as bigint, type);
    case 'list':
      return (value as unknown[]).map((inner) => toJson(inner, type.item));
    case 'struct': {
      const given = value as Readonly<Record<string, unknown>>;
      return Object.fromEntries(
        type.fields.map((field) => [field.name, toJson(given[field.name], field.type)]),
      );
    }
    default:
      return value;
  }
}

/** A number that JSON text holds with exactly these digits. */
class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

function isSafe(value: bigint): boolean {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER);
}

/**
 * The JSON text of a value that {@link toJson} returned, with all digits of its numbers; lone surrogates become
 * U+FFFD.
 */
export function jsonText(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'string') return JSON.stringify(wellFormed(value));
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  if (value instanceof JsonNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  const members = Object.entries(value).map(([key, inner]) => `${jsonText(key)}:${jsonText(inner)}`);
  return `{${members.join(',')}}`;
}

/**
 * A value as a cell of CSV: strings as they are, numbers with all digits, lists, structs and JSON as JSON text, others as
 * {@link toJson}. Null is an empty cell.
 */
export function cellOf(value: unknown, type: DataType): string | number | bigint {
  if (value === null || value === undefined) return '';
  if (type.kind === 'float') return value as number;
  if (type.kind === 'integer') return value as number | bigint;
  const json = toJson(value, type);
  return typeof json === 'string' && type.kind !== 'json' ? json : jsonText(json);
}

/** A decimal as digits, with `scale` of them after the point. */
export function decimalText(unscaled: bigint, scale: number): string {
  if (scale <= 0) return String(unscaled * 10n ** BigInt(-scale));
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** A year outside of four digits is written as the number of days. */
function dateText(days: number): string | number {
  if (days < MIN_ISO_DAY || days > MAX_ISO_DAY) return days;
  return new Date(days * MS_PER_DAY).toISOString().slice(0, 10);
}

function timeText(value: bigint, unit: TimeUnit): string {
  const perSecond = UNITS_PER_SECOND[unit];
  const seconds = value / perSecond;
  const part = (n: bigint) => String(n).padStart(2, '0');
  return `${part(seconds / 3600n)}:${part((seconds / 60n) % 60n)}:${part(seconds % 60n)}${fractionText(value % perSecond, unit)}`;
}

function timestampText(value: bigint, { unit, utc }: { unit: TimeUnit; utc: boolean }): string | bigint {
  const perDay = SECONDS_PER_DAY * UNITS_PER_SECOND[unit];
  const days = value >= 0n ? value / perDay : -((-value + perDay - 1n) / perDay);
  if (days < MIN_ISO_DAY || days > MAX_ISO_DAY) return value;
  return `${dateText(Number(days))}T${timeText(value - days * perDay, unit)}${utc ? 'Z' : ''}`;
}

function fractionText(fraction: bigint, unit: TimeUnit): string {
  if (fraction === 0n) return '';
  const places = { s: 0, ms: 3, us: 6, ns: 9 }[unit];
  return `.${String(fraction).padStart(places, '0')}`;
}
