/** What requests may hold, as zod schemas; the routes check with them. */

import {
  CLEAN_STEPS,
  LONG_TEXTS,
  type LongTexts,
  MAX_GLOSSARY_TERMS,
  MAX_PROMPT_CHARS,
  MAX_TERM_CHARS,
} from '@embedmill/contract';
import { z } from 'zod';

const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,10}$/, `expected a whole number from ${least} to ${most}`)
    .transform(Number)
    .refine((n) => n >= least && n <= most, `expected a whole number from ${least} to ${most}`)
    // As the OpenAPI document shows it; in a query every number is text.
    .meta({ type: 'integer', minimum: least, maximum: most });

const fieldName = z.string().min(1).max(200);

/** No control characters: the name becomes part of file names and log lines. */
const name = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Cs}]+$/u, 'expected no control characters');

const precision = z.enum(['int8', 'fp32']).default('int8').describe('Arithmetic of the linear layers.');
const truncate = z
  .enum(['end', 'start', 'error'])
  .default('end')
  .describe('What happens to tokens beyond the limit: the end or the start is dropped, or the row fails.');

/** As a pattern, which JSON Schema can say; the type is what it stands for. */
export const longTexts = z
  .string()
  .regex(
    LONG_TEXTS,
    'expected truncate, mean, plain-mean or max-chunks=N',
  ) as z.ZodType<unknown> as z.ZodType<LongTexts>;

/** How texts are treated: options of a run, and of whatever else embeds texts. */
export const treatmentFields = {
  clean: z
    .array(z.enum(CLEAN_STEPS))
    .max(CLEAN_STEPS.length)
    .default([])
    .describe('Steps that clean each text, whatever their order; docs/treatment.md says what each does.'),
  long: longTexts
    .default('truncate')
    .describe('Texts beyond the limit: cut, or embedded in chunks of which the vector is the mean.'),
  prompt: z
    .string()
    .max(MAX_PROMPT_CHARS)
    .default('')
    .describe('Put before every text, for models that want one.'),
};

const glossaryText = z.string().max(MAX_TERM_CHARS);

/** Body of `POST /v1/runs`; what is left out is filled from the settings of the producer. */
export const createRunBody = z.strictObject({
  name: name.nullable().optional().describe('A name for people; may repeat.'),
  model: name.optional().describe('Model that the workers must have. Default: the model of the producer.'),
  precision,
  truncate,
  ...treatmentFields,
  glossary: z
    .array(
      z.union([
        z.tuple([glossaryText.min(1), glossaryText]),
        z.tuple([glossaryText.min(1), glossaryText, z.enum(['exact', 'any'])]),
      ]),
    )
    .max(MAX_GLOSSARY_TERMS)
    .optional()
    .describe(
      'Terms and their plain wording: [term, wording], or [term, wording, "exact" or "any" capitals].',
    ),
  batchRows: z.int().min(1).max(4096).optional().describe('Most rows of a batch.'),
  batchTokens: z.int().min(1).max(1_000_000).optional().describe('Most estimated tokens of a batch.'),
});

/** Headers of `POST /v1/runs`, in lower case. */
export const createRunHeaders = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, 'expected 1 to 200 printable characters without spaces')
    .optional()
    .describe('A name for this request: the same one again with the same body gives the same run.'),
});

/** Texts of one interactive request: as many as OpenAI takes. */
const MAX_TEXTS = 2048;

const tokenId = z.int().min(0).max(0xffff_ffff);
const embedInput = z.union([z.string(), z.array(tokenId).min(1)], 'expected a text or a list of token ids');

/** Body of `POST /v1/embed`. */
export const embedBody = z
  .strictObject({
    text: embedInput.optional().describe('One text, or the ids of its tokens without [CLS] and [SEP].'),
    texts: z.array(embedInput).min(1).max(MAX_TEXTS).optional().describe('Several of these.'),
    model: name.optional().describe('Model that the workers must have. Default: the model of the producer.'),
    precision,
    truncate,
    ...treatmentFields,
    glossaryOf: z
      .string()
      .max(64)
      .optional()
      .describe('Id of a run whose glossary is applied to the texts, if it has one.'),
    chunkSpans: z
      .boolean()
      .default(false)
      .describe('Says where the chunks of each text are; not with long: truncate, which makes none.'),
    encoding: z
      .enum(['float', 'base64'])
      .default('float')
      .describe('How vectors are written; base64 is that of the little-endian float32 bytes.'),
  })
  .refine(
    ({ text, texts }) => (text === undefined) !== (texts === undefined),
    'expected either text or texts',
  )
  .refine(
    ({ chunkSpans, long }) => !(chunkSpans && long === 'truncate'),
    'chunkSpans: expected long to be mean, plain-mean or max-chunks=N, which make chunks',
  );

/** Headers of interactive requests, in lower case. */
export const deadlineHeaders = z.object({
  'request-timeout-ms': wholeNumber(1, 600_000)
    .default(30_000)
    .describe('Milliseconds after which the answer is of no use any more: it is 504 then.'),
});

/** Query of `GET /v1/runs`. */
export const listRunsQuery = z.strictObject({
  limit: wholeNumber(1, 1000).default(100).describe('Most runs of the answer.'),
  after: z.string().max(64).optional().describe('Id of the last run of the page before.'),
  state: z.enum(['open', 'sealed', 'completed', 'failed', 'cancelled']).optional(),
});

/** Query of `POST /v1/runs/:id/rows`. */
export const addRowsQuery = z.strictObject({
  part: wholeNumber(0, 999_999_999).describe(
    'Number of the part. Parts are read in the order of their numbers; the same part again changes nothing.',
  ),
  textField: fieldName.default('text').describe('JSON key or CSV column with the text.'),
  idField: fieldName.default('id').describe('JSON key or CSV column with the id.'),
});

/** Body of `POST /v1/runs/:id/search`. */
export const searchBody = z.strictObject({
  text: z.string().min(1).max(20_000).describe('What is searched for; embedded as the rows of the run were.'),
  count: z.int().min(1).max(1000).default(20).describe('Most rows of the answer.'),
});

/** Rows that one request may ask the texts of. */
const MAX_ROWS_SHOWN = 200;

/** Query of `GET /v1/runs/:id/texts`. */
export const textsQuery = z.strictObject({
  rows: z
    .string()
    .regex(/^\d{1,10}(,\d{1,10})*$/, 'expected numbers of rows, from 0, with commas between them')
    .transform((list) => list.split(',').map(Number))
    .refine((rows) => rows.length <= MAX_ROWS_SHOWN, `expected at most ${MAX_ROWS_SHOWN} rows`)
    .describe('Numbers of rows, from 0, with commas between them; at most 200.'),
});

/** Query of `GET /v1/runs/:id/results`. */
export const resultsQuery = z.strictObject({
  format: z.enum(['jsonl', 'npy', 'parquet', 'arrow']).default('jsonl'),
  encoding: z
    .enum(['float', 'base64'])
    .default('float')
    .describe('How jsonl writes vectors; base64 is that of the little-endian bytes.'),
  dtype: z
    .enum(['float32', 'float16', 'int8'])
    .default('float32')
    .describe(
      'What is kept of a float. int8 comes with a scale per row: a field of jsonl, a column of parquet and arrow, and for ' +
        'npy what `GET /v1/runs/:id/scales` gives out.',
    ),
});

/** Query of `GET /v1/runs/:id/report`. */
export const reportQuery = z.strictObject({
  include: z.enum(['truncated']).optional().describe('Lists rows that miss tokens too.'),
});
