/** The types of PostgreSQL, and their values in its text format. */

import { EmbedmillError, quote } from '@embedmill/contract';
import type { DataType } from '@embedmill/core/formats';
import pg from 'pg';

/** How the values of a type become values of a column. */
export interface PostgresReading {
  type: DataType;
  read: (text: string) => unknown;
}

/** As the package is; its types describe a function. */
const arrayParser = pg.types.arrayParser as unknown as {
  create(text: string, read: (value: string) => string): { parse(): (string | null)[] };
};

/** Numbers of types, which are fixed (pg_type.dat). */
const OID = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int2: 21,
  int4: 23,
  oid: 26,
  float4: 700,
  float8: 701,
  date: 1082,
  time: 1083,
  timestamp: 1114,
  timestamptz: 1184,
  numeric: 1700,
} as const;

/** Arrays: the numbers of their types and of those of their elements. */
const ELEMENTS: ReadonlyMap<number, number> = new Map([
  [1000, OID.bool],
  [1001, OID.bytea],
  [1005, OID.int2],
  [1007, OID.int4],
  [1016, OID.int8],
  [1021, OID.float4],
  [1022, OID.float8],
  [1115, OID.timestamp],
  [1182, OID.date],
  [1185, OID.timestamptz],
  // Texts: any type that is read as string.
  [1002, 25],
  [1009, 25],
  [1014, 25],
  [1015, 25],
  [2951, 25],
]);

const MS_PER_DAY = 86_400_000;

/** Largest precision of decimals in files. */
const MAX_PRECISION = 38;

/**
 * How a type is read. A numeric without precision, and every type without a counterpart, is the string that
 * PostgreSQL writes, which has all digits.
 * @param modifier precision and scale of numeric; -1 for none
 */
export function postgresReading(oid: number, modifier: number): PostgresReading {
  const element = ELEMENTS.get(oid);
  if (element !== undefined) {
    const item = postgresReading(element, -1);
    const read = (text: string): unknown => {
      if (/^\[|^\{\{/.test(text)) {
        throw unstorable(`the array ${quote(text, 60)}`, 'more than one dimension or another first index');
      }
      const values = arrayParser.create(text, (value) => value).parse();
      return values.map((value) => (value === null ? null : item.read(value)));
    };
    return { type: { kind: 'list', item: item.type }, read };
  }
  switch (oid) {
    case OID.bool:
      return { type: { kind: 'boolean' }, read: (text) => text === 't' };
    case OID.int2:
      return { type: { kind: 'integer', bits: 16, signed: true }, read: Number };
    case OID.int4:
      return { type: { kind: 'integer', bits: 32, signed: true }, read: Number };
    case OID.oid:
      return { type: { kind: 'integer', bits: 32, signed: false }, read: Number };
    case OID.int8:
      return { type: { kind: 'integer', bits: 64, signed: true }, read: BigInt };
    case OID.float4:
      return { type: { kind: 'float', bits: 32 }, read: Number };
    case OID.float8:
      return { type: { kind: 'float', bits: 64 }, read: Number };
    case OID.bytea:
      return { type: { kind: 'binary' }, read: (text) => Uint8Array.from(Buffer.from(text.slice(2), 'hex')) };
    case OID.date:
      return { type: { kind: 'date' }, read: (text) => daysOf(text) };
    case OID.time:
      return { type: { kind: 'time', unit: 'us' }, read: microsOf };
    case OID.timestamp:
      return { type: { kind: 'timestamp', unit: 'us', utc: false }, read: timestampOf };
    case OID.timestamptz:
      return { type: { kind: 'timestamp', unit: 'us', utc: true }, read: timestampOf };
    case OID.numeric:
      return numeric(modifier);
    default:
      return { type: { kind: 'string' }, read: (text) => text };
  }
}

/** The modifier holds precision and scale (numeric.c): `((precision << 16) | scale) + 4`. */
function numeric(modifier: number): PostgresReading {
  const precision = ((modifier - 4) >> 16) & 0xffff;
  const scale = (modifier - 4) & 0x7ff;
  if (modifier === -1 || precision > MAX_PRECISION || scale > precision) {
    return { type: { kind: 'string' }, read: (text) => text };
  }
  const read = (text: string): bigint => {
    if (text === 'NaN') throw unstorable('the numeric NaN', 'decimals');
    const [whole = '', fraction = ''] = text.split('.');
    return BigInt(whole + fraction.padEnd(scale, '0'));
  };
  return { type: { kind: 'decimal', precision, scale }, read };
}

function daysOf(text: string): number {
  const found = /^(\d+)-(\d\d)-(\d\d)( BC)?$/.exec(text);
  if (found === null) throw unstorable(`the date ${quote(text)}`, 'days');
  const [, year, month, day, era] = found;
  const date = new Date(0);
  date.setUTCFullYear(era === undefined ? Number(year) : 1 - Number(year), Number(month) - 1, Number(day));
  return Math.floor(date.getTime() / MS_PER_DAY);
}

/** Microseconds of `12:34:56.789`. */
function microsOf(text: string): bigint {
  const [, hours, minutes, seconds, fraction = ''] = /^(\d\d):(\d\d):(\d\d)(?:\.(\d+))?/.exec(text) ?? [];
  const whole = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  return BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
}

/** Microseconds of `2026-11-28 12:34:56.789+00`, in UTC. */
function timestampOf(text: string): bigint {
  const found = /^(\d+-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)(?:\+00)?( BC)?$/.exec(text);
  if (found === null) throw unstorable(`the timestamp ${quote(text)}`, 'microseconds');
  const [, date, time, era = ''] = found;
  return BigInt(daysOf(`${date}${era}`)) * 86_400_000_000n + microsOf(time ?? '');
}

function unstorable(what: string, kind: string): EmbedmillError {
  return new EmbedmillError(
    'value-too-large',
    `the query has ${what}, which cannot be stored as ${kind}; cast it to text`,
  );
}
