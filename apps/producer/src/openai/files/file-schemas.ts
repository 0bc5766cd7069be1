/** Schemas of the requests to the Files API. */

import * as z from 'zod';
import { parseOpenAiInput } from '../parse-input.ts';

const HOUR_SECONDS = 3600;
const MONTH_SECONDS = 30 * 24 * HOUR_SECONDS;
const secondsRange = `expected a whole number from ${HOUR_SECONDS} to ${MONTH_SECONDS}`;

/** Seconds until a file is deleted, within the limits of the OpenAI API. */
export const expirySeconds = z
  .int(secondsRange)
  .min(HOUR_SECONDS, secondsRange)
  .max(MONTH_SECONDS, secondsRange);

const uploadFields = z.object({
  purpose: z.literal('batch', { error: 'expected batch' }),
  'expires_after[anchor]': z.literal('created_at').optional(),
  'expires_after[seconds]': z.coerce.number().pipe(expirySeconds).optional(),
});

/** Query of `GET /v1/files`. */
export const listFilesQuery = z.object({
  limit: z.coerce.number().pipe(z.int().min(1).max(10_000)).default(10_000),
  order: z.enum(['asc', 'desc']).default('desc'),
  after: z.string().optional().describe('Id of the last file of the previous page.'),
  purpose: z.enum(['batch', 'batch_output']).optional(),
});

/**
 * Checks the form fields of an upload other than the file.
 * @throws {OpenAiError} for the first invalid field
 */
export function parseUploadFields(fields: unknown): { purpose: 'batch'; expiresAfterSeconds: number | null } {
  const { purpose, 'expires_after[seconds]': seconds } = parseOpenAiInput(uploadFields, fields);
  return { purpose, expiresAfterSeconds: seconds ?? null };
}
