/**
 * Parses JSON values into rows: one object per line, or the elements of an array; blank lines are skipped.
 *
 * `NaN` and `Infinity`, which Python and pandas write, count as null. A lone surrogate, which no UTF-8 can
 * hold, becomes U+FFFD, as in every text that passes through UTF-8.
 */

import { type BadRow, quote, type RowRead } from '@embedmill/contract';
import { badRow, faultOf } from './decode.ts';
import { readJsonId } from './id.ts';
import { withExactNumbers, withoutNonNumbers } from './json-number.ts';
import type { RawRecord } from './record.ts';
import type { FieldsRow, RowSettings } from './types.ts';
import { wellFormed } from './well-formed.ts';

/** A parsed JSON object. */
export type JsonObject = Record<string, unknown>;

const EXPECTED = 'expected one object per line, such as {"id":"1","text":"Fits well."}';

/**
 * Maximum length of the error code and message that a client sends for a bad row, in UTF-16 units; the rest
 * is cut off.
 */
const MAX_CLIENT_CODE_CHARS = 64;
const MAX_CLIENT_MESSAGE_CHARS = 500;

/** Parses lines into rows, in order. */
export function parseJsonl(records: readonly RawRecord[], settings: RowSettings): FieldsRow[] {
  const rows: FieldsRow[] = [];
  for (const record of records) {
    const row = faultOf(record, settings) ?? parseLine(record, settings);
    if (row !== null) rows.push(row);
  }
  return rows;
}

/**
 * Parses JSON in which numbers may be `NaN`, `Infinity` or `-Infinity`; these become null.
 * @throws {SyntaxError} of the original text
 */
export function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    const cleared = withoutNonNumbers(json);
    if (cleared === null) throw error;
    try {
      return JSON.parse(cleared);
    } catch {
      throw error;
    }
  }
}

function parseLine(record: RawRecord, settings: RowSettings): FieldsRow | null {
  const json = record.bytes.toString();
  // Tested before parsing: one exception per line would make a file of line feeds 1,000 times slower than
  // rows.
  if (json.trim() === '') return null;
  let value: unknown;
  try {
    value = parseJson(json);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `the line ${quote(json)} is not JSON (${reason.slice(0, 160)}); ${EXPECTED}`;
    return badRow(record.line, null, 'invalid-json', message);
  }
  if (!isObject(value)) {
    return badRow(record.line, null, 'not-an-object', `the line is ${quote(value)}; ${EXPECTED}`);
  }
  const row = parseObject(value, json, record.line, settings);
  return settings.keepFields ? { ...row, fields: { json: withExactNumbers(value, json) } } : row;
}

function parseObject(object: JsonObject, json: string, countedLine: number, settings: RowSettings): RowRead {
  const { textField, idField, maxIdBytes } = settings;
  const line = clientLine(object) ?? countedLine;
  const idPath = pathOf(object, idField);
  const given = readJsonId(wellFormed(valueAt(object, idPath)), idPath, json, maxIdBytes);
  const text = wellFormed(valueAt(object, pathOf(object, textField)));
  if (text === undefined || text === null) {
    const known = clientError(object, line, given.id);
    if (known !== null) return known;
  }
  if (given.code !== null) return badRow(line, null, given.code, given.message);
  if (typeof text === 'string') return { ok: true, line, id: given.id, text };
  const field = quote(textField);
  if (text === undefined) {
    const keys = quote(Object.keys(object).slice(0, 20), 200);
    return badRow(line, given.id, 'missing-text', `the row has no field ${field}; its fields are ${keys}`);
  }
  if (text === null) {
    return badRow(line, given.id, 'missing-text', `the field ${field} is null; expected a string`);
  }
  const message = `the field ${field} is ${quote(text)}, a ${kindOf(text)}; expected a string`;
  return badRow(line, given.id, 'text-not-string', message);
}

/** The line number that the client gave; any other value is an unrelated field called `line`. */
function clientLine(object: JsonObject): number | null {
  const line = own(object, 'line');
  return typeof line === 'number' && Number.isSafeInteger(line) && line > 0 ? line : null;
}

/**
 * A bad row that the client sends only to keep its position; null if the object has no valid `error` field.
 */
function clientError(object: JsonObject, line: number, id: string | null): BadRow | null {
  const error = own(object, 'error');
  if (!isObject(error) || typeof error.code !== 'string' || typeof error.message !== 'string') return null;
  const code = error.code.slice(0, MAX_CLIENT_CODE_CHARS);
  const message = error.message.slice(0, MAX_CLIENT_MESSAGE_CHARS);
  return { ok: false, line, id, code, message, keepsPlace: true };
}

/** The keys that lead to a field: a name with dots that is not itself a key is a path. */
function pathOf(object: JsonObject, field: string): readonly string[] {
  return !field.includes('.') || Object.hasOwn(object, field) ? [field] : field.split('.');
}

/** The value of a field, or of a path such as `review.text`; `undefined` if there is none. */
export function fieldOf(object: JsonObject, field: string): unknown {
  return valueAt(object, pathOf(object, field));
}

function valueAt(object: JsonObject, path: readonly string[]): unknown {
  let value: unknown = object;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = own(value as JsonObject, key);
  }
  return value;
}

/** The value of an own key: a field may be called `constructor`. */
function own(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Whether a JSON value is an object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'list' : typeof value;
}
