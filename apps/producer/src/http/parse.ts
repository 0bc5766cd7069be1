/** Checks what a request holds against its schema; the routes call it. */

import { quote, RequestError } from '@embedmill/contract';
import type { z } from 'zod';

/** Faults and unknown keys that an answer lists. */
const MAX_LISTED = 10;

/**
 * The values, with defaults filled in.
 * @throws {RequestError} `invalid-body`, `invalid-query` or `invalid-headers`, with every fault (facts: `errors`)
 */
export function parse<Schema extends z.ZodObject>(
  schema: Schema,
  what: 'body' | 'query' | 'headers',
  given: unknown,
): z.output<Schema> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.slice(0, MAX_LISTED).map((issue) => faultOf(schema, issue, given));
  const list = errors.map(({ field, message }) => (field === '' ? message : `${field}: ${message}`));
  throw new RequestError(`invalid-${what}`, `the ${what} cannot be used: ${list.join('; ')}`, {
    facts: { errors },
  });
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
  const field = issue.path.map(String).join('.');
  const value = field === '' ? given : (given as Record<string, unknown>)[field];
  return { field, message: `${issue.message}, got ${value === undefined ? 'nothing' : quote(value)}` };
}
