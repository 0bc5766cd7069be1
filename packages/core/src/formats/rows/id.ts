/** Reads the id of a row, for the JSONL and CSV parsers. */

import { quote, type RowErrorCode } from '@embedmill/contract';
import { numberAt } from './json-number.ts';

/** A valid id, `null` if the row has none, or the reason why the id is invalid. */
export type IdRead =
  | { readonly id: string | null; readonly code: null }
  | { readonly id: null; readonly code: RowErrorCode; readonly message: string };

/** Maximum characters of a decimal that is not rounded: a double has 15 significant digits. */
const EXACT_CHARS = 16;

const NO_ID: IdRead = { id: null, code: null };

/** Checks an id given as text; an empty string counts as no id. `maxIdBytes` is in bytes of UTF-8. */
export function readId(id: string, maxIdBytes: number): IdRead {
  if (id === '') return NO_ID;
  // A UTF-16 unit is at most three bytes of UTF-8, so most ids need no measuring.
  if (id.length * 3 > maxIdBytes && Buffer.byteLength(id) > maxIdBytes) {
    const message = `the id ${quote(id)} has ${Buffer.byteLength(id)} bytes; expected at most ${maxIdBytes}`;
    return { id: null, code: 'id-too-long', message };
  }
  return { id, code: null };
}

/**
 * Checks an id given as a JSON value; `undefined` means that the key is missing.
 * @param path keys that lead to the id
 * @param json text of the object, from which large integers are read exactly
 */
export function readJsonId(
  value: unknown,
  path: readonly string[],
  json: string,
  maxIdBytes: number,
): IdRead {
  if (typeof value === 'string') return readId(value, maxIdBytes);
  if (value === undefined || value === null) return NO_ID;
  if (typeof value !== 'number') {
    return {
      id: null,
      code: 'invalid-id',
      message: `the id is ${quote(value)}; expected a string or a number`,
    };
  }
  if (Number.isSafeInteger(value)) return readId(String(value), maxIdBytes);
  const digits = numberAt(json, path) ?? '';
  const isShort = Number.isFinite(value) && !Number.isInteger(value) && digits.length <= EXACT_CHARS;
  if (isShort) return readId(String(value), maxIdBytes);
  if (/^-?\d+(\.\d+)?$/.test(digits)) return readId(digits, maxIdBytes);
  const message = `the id ${quote(value)} is a number that JSON cannot represent exactly; expected a string or a number up to 2^53`;
  return { id: null, code: 'invalid-id', message };
}
