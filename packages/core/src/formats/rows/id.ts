/** Reads the id of a row, for the JSONL and CSV parsers. */
import { quote, type RowErrorCode } from '@embedmill/contract';

/** A usable id (null: none was given), or why there is none. */
export type IdRead =
  | { readonly id: string | null; readonly code: null }
  | { readonly id: null; readonly code: RowErrorCode; readonly message: string };

const none: IdRead = { id: null, code: null };

/** An id given as text; an empty one counts as none. */
export function readId(id: string, maxIdBytes: number): IdRead {
  if (id === '') return none;
  // A UTF-16 unit is at most three bytes of UTF-8, so most ids need not be measured.
  if (id.length * 3 > maxIdBytes && Buffer.byteLength(id) > maxIdBytes) {
    const message = `the id ${quote(id)} has ${Buffer.byteLength(id)} bytes; expected at most ${maxIdBytes}`;
    return { id: null, code: 'id-too-long', message };
  }
  return { id, code: null };
}

/** An id given as any JSON value under the key `field` of the object that `json` holds; undefined: no such key. */
export function readJsonId(value: unknown, field: string, json: string, maxIdBytes: number): IdRead {
  if (typeof value === 'string') return readId(value, maxIdBytes);
  if (value === undefined || value === null) return none;
  if (typeof value !== 'number') {
    return {
      id: null,
      code: 'invalid-id',
      message: `the id is ${quote(value)}; expected a string or a number`,
    };
  }
  if (Number.isSafeInteger(value) || !Number.isInteger(value)) return readId(String(value), maxIdBytes);
  const digits = integerAsWritten(field, json);
  if (digits !== null) return readId(digits, maxIdBytes);
  const message = `the id ${quote(value)} is a number that JSON does not keep exactly; expected a string or a number up to 2^53`;
  return { id: null, code: 'invalid-id', message };
}

/**
 * The digits of an integer beyond 2^53 as they stand in the line (review and tweet ids often are such numbers), or null
 * when the key does not stand there exactly once. Inside a string the quotes of a key are escaped, so that the pattern
 * cannot match there.
 */
function integerAsWritten(field: string, json: string): string | null {
  const key = JSON.stringify(field).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const found = [...json.matchAll(new RegExp(`(?<!\\\\)${key}\\s*:\\s*(-?\\d+)(?=[\\s,}])`, 'g'))];
  return found.length === 1 ? (found[0]?.[1] ?? null) : null;
}
