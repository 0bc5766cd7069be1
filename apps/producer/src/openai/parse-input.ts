/** Checks bodies, queries and form fields against a schema, with the error messages of the OpenAI API. */

import { quote } from '@embedmill/contract';
import type * as z from 'zod';
import { withoutNulls } from '../http/null-as-absent.ts';
import { OpenAiError } from './errors.ts';

/**
 * Returns the values of a request, with defaults filled in. Null for an optional field means that it is absent.
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
  if (value === undefined || value === null)
    throw new OpenAiError(`Missing required parameter: '${field}'.`, {
      param: field,
      code: 'missing_required_parameter',
    });
  throw new OpenAiError(`Invalid value for '${path.join('.')}' = ${quote(value)}: ${message}`, {
    param: field,
    code: 'invalid_value',
  });
}
