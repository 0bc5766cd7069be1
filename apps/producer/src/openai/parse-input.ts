/** Checks bodies, queries and form fields against a schema, with the error messages of the OpenAI API. */

import { quote } from '@embedmill/contract';
import type { z } from 'zod';
import { OpenAiError } from './errors.ts';

/**
 * Returns the values of a request, with defaults filled in. As in the OpenAI API, null for an optional field
 * means that it is absent.
 * @param errorFor the error for an invalid field for which the OpenAI API has its own wording
 * @throws {OpenAiError} for the first invalid field
 */
export function parseOpenAiInput<Schema extends z.ZodObject>(
  schema: Schema,
  given: unknown,
  errorFor: (field: string, value: unknown) => OpenAiError | undefined = () => undefined,
): z.output<Schema> {
  const parsed = schema.safeParse(withoutNulls(schema, given));
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  if (path.length === 0) throw new OpenAiError(`the body is ${quote(given)}; expected an object`);
  const field = String(path[0]);
  const value = (given as Record<string, unknown>)[field];
  const error = errorFor(field, value);
  if (error !== undefined) throw error;
  if (value === undefined)
    throw new OpenAiError(`Missing required parameter: '${field}'.`, {
      param: field,
      code: 'missing_required_parameter',
    });
  throw new OpenAiError(`Invalid value for '${path.join('.')}' = ${quote(value)}: ${message}`, {
    param: field,
    code: 'invalid_value',
  });
}

/** The fields of an object without those that are null and optional. */
function withoutNulls(schema: z.ZodObject, given: unknown): unknown {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return given;
  const isAbsent = (field: string, value: unknown) =>
    value === null && Object.hasOwn(schema.shape, field) && schema.shape[field]?.safeParse(undefined).success;
  return Object.fromEntries(Object.entries(given).filter(([field, value]) => !isAbsent(field, value)));
}
