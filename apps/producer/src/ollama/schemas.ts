/** Schemas of the requests to the Ollama API; unused fields (`keep_alive`, `options`) are ignored. */

import * as z from 'zod';
import { withoutNulls } from '../http/null-as-absent.ts';
import { OllamaError } from './errors.ts';

const model = z
  .string({ error: 'model is required' })
  .min(1, 'model is required')
  .describe('A name of the served model.');

/** Body of `POST /api/embed`. */
export const ollamaEmbedBody = z.object({
  model,
  input: z
    .union([z.string(), z.array(z.string())], { error: 'invalid input type' })
    .optional()
    .describe('A text or texts; an empty input returns no vectors.'),
  truncate: z
    .boolean({ error: 'truncate must be true or false' })
    .optional()
    .describe('Whether to cut the end of over-long texts; otherwise they are an error. Default: true.'),
  dimensions: z
    .int({ error: 'dimensions must be a whole number' })
    .optional()
    .describe(
      'Number of leading floats to keep; the shortened vector is renormalized to length 1. 0, or more than the model has, keeps all.',
    ),
});

/** Body of `POST /api/embeddings`, the older form. */
export const ollamaEmbeddingsBody = z.object({
  model,
  prompt: z.string({ error: 'prompt must be a string' }).optional().describe('One text.'),
});

/** Older clients send `name` instead of `model`. */
const modelOrName = { model: z.string().optional(), name: z.string().optional() };

/** Body of `POST /api/show`. */
export const ollamaShowBody = z
  .object(modelOrName)
  .transform(({ model, name }) => ({ model: model ?? name ?? '' }))
  .refine(({ model }) => model !== '', 'model is required');

/** Body of `POST /api/pull`. */
export const ollamaPullBody = z
  .object({
    ...modelOrName,
    stream: z
      .boolean({ error: 'stream must be true or false' })
      .default(true)
      .describe('Whether to answer with one status per line instead of the last one alone.'),
  })
  .transform(({ model, name, stream }) => ({ model: model ?? name ?? '', stream }))
  .refine(({ model }) => model !== '', 'model is required');

/**
 * Returns the values of a body, with defaults filled in. Null for an optional field means that it is absent.
 * @throws {OllamaError} 400 for the first invalid field, and without a body
 */
export function parseOllamaBody<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  if (given === undefined) throw new OllamaError(400, 'missing request body');
  const parsed = schema.safeParse(withoutNulls(schema, given));
  if (parsed.success) return parsed.data;
  throw new OllamaError(400, parsed.error.issues[0]!.message);
}
