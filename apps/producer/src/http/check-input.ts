/** Checks the body, query or headers of a request against a schema and reports every fault. */

import { quote, RequestError } from '@embedmill/contract';
import * as z from 'zod';
import { withoutNulls } from './null-as-absent.ts';

/** Maximum number of faults and of unknown keys in one error. */
const MAX_LISTED = 10;

/**
 * Returns the values of a request, with defaults filled in. Null for an optional field means that it is absent.
 * @throws {RequestError} `invalid-body`, `invalid-query` or `invalid-headers`, with all faults (facts:
 *   `errors`)
 */
export function checkInput<Schema extends z.ZodObject>(
  schema: Schema,
  what: 'body' | 'query' | 'headers',
  given: unknown,
): z.output<Schema> {
  const parsed = schema.safeParse(withoutNulls(schema, given));
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.slice(0, MAX_LISTED).map((issue) => faultOf(schema, issue, given));
  const list = errors.map(({ field, message }) => (field === '' ? message : `${field}: ${message}`));
  throw new RequestError(`invalid-${what}`, `invalid ${what}: ${list.join('; ')}`, { facts: { errors } });
}

/** A whole number between `min` and `max` that is written as text, as in queries and headers. */
export function integerText(min: number, max: number) {
  const expected = `expected a whole number from ${min} to ${max}`;
  return (
    z
      .string()
      .regex(/^\d{1,10}$/, expected)
      .transform(Number)
      .refine((n) => n >= min && n <= max, expected)
      // What the OpenAPI document shows: an integer instead of a pattern.
      .meta({ type: 'integer', minimum: min, maximum: max })
  );
}

function faultOf(
  schema: z.ZodObject,
  issue: z.core.$ZodIssue,
  given: unknown,
): { field: string; message: string } {
  if (issue.code === 'unrecognized_keys') {
    const unknown = issue.keys.slice(0, MAX_LISTED).map((key) => quote(key));
    const more = issue.keys.length > MAX_LISTED ? ` and ${issue.keys.length - MAX_LISTED} more` : '';
    return {
      field: '',
      message: `unknown ${unknown.join(', ')}${more}; expected ${Object.keys(schema.shape).join(', ')}`,
    };
  }
  const value = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)?.[key], given);
  // The value says more than its type.
  const expected = issue.message.replace(/^Invalid input: expected (.*), received \w+$/, 'expected $1');
  return {
    field: issue.path.map(String).join('.'),
    message: `${expected}, got ${value === undefined ? 'nothing' : quote(value)}`,
  };
}
