/** What requests for batches may hold. */

import { z } from 'zod';
import type { BatchRequest } from './batches/types.ts';
import { OpenAiError } from './errors.ts';
import { expirySeconds } from './file-schemas.ts';
import { checkBody } from './schemas.ts';

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Body of `POST /v1/batches`. */
export const createBatchBody = z.object({
  input_file_id: z.string(),
  endpoint: z.literal('/v1/embeddings', { error: 'expected /v1/embeddings' }),
  completion_window: z
    .string()
    .regex(/^[1-9]\d{0,4}[smhd]$/, 'expected a time such as 24h; ours may be longer or shorter')
    .describe('When the batch expires if it is not done: a number with s, m, h or d.'),
  metadata: z.record(z.string().max(64), z.string().max(512)).nullish(),
  output_expires_after: z
    .object({ anchor: z.literal('created_at'), seconds: expirySeconds })
    .nullish()
    .describe('When the output files are removed. Default: never.'),
});

/** Most pairs of `metadata`. */
const MAX_METADATA = 16;

/** Query of `GET /v1/batches`. */
export const listBatchesQuery = z.object({
  limit: z.coerce.number().pipe(z.int().min(1).max(100)).default(20),
  after: z.string().optional().describe('Id of the last batch of the page before.'),
});

/**
 * Checks the body of `POST /v1/batches`; what is in the file is checked later.
 * @throws {OpenAiError} for the first field that cannot be used
 */
export function parseBatch(given: unknown): BatchRequest {
  const body = checkBody(createBatchBody, given ?? {});
  const metadata = body.metadata ?? null;
  if (metadata !== null && Object.keys(metadata).length > MAX_METADATA) {
    throw new OpenAiError(`Invalid 'metadata': it may have ${MAX_METADATA} keys.`, {
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
