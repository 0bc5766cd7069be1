/** Schemas of the requests to the Batch API. */

import * as z from 'zod';
import { OpenAiError } from '../errors.ts';
import { expirySeconds } from '../files/file-schemas.ts';
import { parseOpenAiInput } from '../parse-input.ts';
import type { BatchCreateParams } from './types.ts';

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Body of `POST /v1/batches`. */
export const createBatchBody = z.object({
  input_file_id: z.string(),
  endpoint: z.literal('/v1/embeddings', { error: 'expected /v1/embeddings' }),
  completion_window: z
    .string()
    .regex(/^[1-9]\d{0,4}[smhd]$/, 'expected a duration such as 24h')
    .describe('Time after which an unfinished batch expires: a number with s, m, h or d.'),
  metadata: z.record(z.string().max(64), z.string().max(512)).optional(),
  output_expires_after: z
    .object({ anchor: z.literal('created_at'), seconds: expirySeconds })
    .optional()
    .describe('When the output files are deleted. Default: never.'),
});

/** Maximum number of keys in `metadata`. */
const MAX_METADATA = 16;

/** Query of `GET /v1/batches`. */
export const listBatchesQuery = z.object({
  limit: z.coerce.number().pipe(z.int().min(1).max(100)).default(20),
  after: z.string().optional().describe('Id of the last batch of the previous page.'),
});

/**
 * Checks the body of `POST /v1/batches`; the contents of the input file are checked later.
 * @throws {OpenAiError} for the first invalid field
 */
export function parseBatchCreateParams(given: unknown): BatchCreateParams {
  const body = parseOpenAiInput(createBatchBody, given ?? {});
  const metadata = body.metadata ?? null;
  if (metadata !== null && Object.keys(metadata).length > MAX_METADATA) {
    throw new OpenAiError(`Invalid 'metadata': expected at most ${MAX_METADATA} keys.`, {
      param: 'metadata',
      code: 'invalid_value',
    });
  }
  const window = body.completion_window;
  return {
    inputFileId: body.input_file_id,
    endpoint: body.endpoint,
    completionWindow: window,
    windowMs: Number(window.slice(0, -1)) * UNIT_MS[window.at(-1) as keyof typeof UNIT_MS],
    metadata,
    outputExpiresAfterSeconds: body.output_expires_after?.seconds ?? null,
  };
}
