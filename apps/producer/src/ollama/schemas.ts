/** What requests to the Ollama API may hold; what we have no use for (`keep_alive`, `options`) is ignored, as unknown fields are there. */

import { z } from 'zod';
import { OllamaError } from './errors.ts';

const model = z
  .string({ error: 'model is required' })
  .min(1, 'model is required')
  .describe('A name of the served model.');

/** Body of `POST /api/embed`. */
export const embedBody = z.object({
  model,
  input: z
    .union([z.string(), z.array(z.string())], { error: 'invalid input type' })
    .nullish()
    .describe('A text or texts; nothing gets no vectors.'),
  truncate: z
    .boolean({ error: 'truncate must be true or false' })
    .nullish()
    .describe('Default true: the end of a long text is dropped.'),
  dimensions: z
    .int({ error: 'dimensions must be a whole number' })
    .nullish()
    .describe('First floats to keep, brought back to length 1; 0 and more than there are keep all.'),
});

/** Body of `POST /api/embeddings`, the older call. */
export const embeddingsBody = z.object({
  model,
  prompt: z.string({ error: 'prompt must be a string' }).nullish().describe('One text.'),
});

/** Body of `POST /api/show`; older clients say `name`. */
export const showBody = z
  .object({ model: z.string().optional(), name: z.string().optional() })
  .transform(({ model, name }) => ({ model: model ?? name ?? '' }))
  .refine(({ model }) => model !== '', 'model is required');

/**
 * The values of a body.
 * @throws {OllamaError} 400 for the first field that cannot be used, and for a call without a body
 */
export function checkBody<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  if (given === undefined) throw new OllamaError(400, 'missing request body');
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new OllamaError(400, parsed.error.issues[0]!.message);
}
