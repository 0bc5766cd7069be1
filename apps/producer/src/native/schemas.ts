/** Schemas of the bodies, queries and headers of the native API. */

import { MAX_COLUMNS, MAX_TOPIC_NAME_CHARS, MAX_TOPICS } from '@embedmill/contract';
import * as z from 'zod';
import { MAX_INPUTS } from '../compatible/inputs.ts';
import { embedFields, modelName } from '../compatible/run-options.ts';
import { integerText } from '../http/check-input.ts';

/** The name of a field or column. */
const fieldName = z.string().min(1).max(200);

/** Headers of `POST /v1/runs`, in lower case. */
export const createRunHeaders = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, 'expected 1 to 200 printable characters without spaces')
    .optional()
    .describe('Key of this request: repeating it with the same body returns the same run.'),
});

const tokenId = z.int().min(0).max(0xffff_ffff);
const embedInput = z.union([z.string(), z.array(tokenId).min(1)], 'expected a text or a list of token ids');

/** Body of `POST /v1/embed`. */
export const embedBody = z
  .strictObject({
    text: embedInput.optional().describe('One text, or its token ids without [CLS] and [SEP].'),
    texts: z.array(embedInput).min(1).max(MAX_INPUTS).optional().describe('Several texts.'),
    ...embedFields,
    glossaryOf: z
      .string()
      .max(64)
      .optional()
      .describe('Id of a run whose glossary is applied to the texts, if it has one.'),
    chunkSpans: z
      .boolean()
      .default(false)
      .describe('Whether to return the position of each chunk; requires long other than truncate.'),
    encoding: z
      .enum(['float', 'base64'])
      .default('float')
      .describe('Encoding of the vectors; base64 encodes little-endian float32.'),
  })
  .refine(
    ({ text, texts }) => (text === undefined) !== (texts === undefined),
    'expected either text or texts',
  )
  .refine(
    ({ chunkSpans, long }) => !(chunkSpans && long === 'truncate'),
    'chunkSpans: expected long to be mean, plain-mean or max-chunks=N, which make chunks',
  );

/** Query of `GET /v1/runs`. */
export const listRunsQuery = z.strictObject({
  limit: integerText(1, 1000).default(100).describe('Maximum runs per page.'),
  after: z.string().max(64).optional().describe('Id of the last run of the previous page.'),
  state: z.enum(['open', 'sealed', 'completed', 'failed', 'cancelled']).optional(),
});

/** Query of `DELETE /v1/runs/:id`. */
export const deleteRunQuery = z.strictObject({
  onlyUnused: z
    .enum(['true', 'false'])
    .default('false')
    .transform((onlyUnused) => onlyUnused === 'true')
    .describe('Whether to refuse a run that has not ended, or that is being read.'),
});

/** Query of `POST /v1/runs/import`. */
export const importQuery = z.strictObject({
  asNew: z
    .enum(['true', 'false'])
    .default('false')
    .transform((asNew) => asNew === 'true')
    .describe('Whether the run gets a new id, instead of the one that it had when it was exported.'),
});

/** Number of a part. */
const part = integerText(0, 999_999_999);

/** Path of `DELETE /v1/runs/:id/parts/:part` and of its results. */
export const partPath = z.strictObject({ part });

/** Query of `GET /v1/runs/:id/parts/:part/results`. */
export const partResultsQuery = z.strictObject({
  waitMs: integerText(0, 60_000)
    .default(0)
    .describe('Maximum wait for the rows of the part, in milliseconds.'),
  fromRow: integerText(0, 999_999_999)
    .default(0)
    .describe('Rows of the part to leave out, so that a download that was cut continues.'),
});

/** How rows are split and decoded. */
const reading = {
  delimiter: z
    .string()
    .regex(/^[\t -~]$/, 'expected one ASCII character')
    .optional()
    .describe('Character between two fields of CSV or TSV.'),
  quote: z
    .string()
    .regex(/^([\t -~]|none)$/, 'expected one ASCII character or none')
    .transform((quote) => (quote === 'none' ? null : quote))
    .optional()
    .describe('Character around fields of CSV or TSV that contain delimiters or line ends, or `none`.'),
  header: z
    .enum(['true', 'false'])
    .transform((header) => header === 'true')
    .optional()
    .describe('Whether the first record names the columns; else they are called `column0`, `column1` …'),
  charset: z.string().min(1).max(40).optional().describe('Charset, such as `utf-16le` or `windows-1252`.'),
};

/** Query of `POST /v1/runs/:id/rows`. */
export const addRowsQuery = z.strictObject({
  part: part.describe(
    'Number of the part. Parts are processed in numerical order; repeating a part is idempotent.',
  ),
  textField: fieldName.default('text').describe('JSON key, path (`review.text`) or CSV column of the text.'),
  idField: fieldName.default('id').describe('JSON key, path or CSV column of the id.'),
  badRows: z
    .enum(['reject', 'keep'])
    .default('reject')
    .describe('Whether a record that is not a row is left out, or kept as a row with the verdict `failed`.'),
  columns: z
    .string()
    .min(1)
    .transform((list) => (list === '*' ? list : list.split(',').map((name) => name.trim())))
    .pipe(z.union([z.literal('*'), z.array(fieldName).max(MAX_COLUMNS)]))
    .optional()
    .describe(
      'Columns whose values are kept with the rows: comma-separated names or JSON paths, or `*` for all but text, id and lists of numbers, ' +
        `up to ${MAX_COLUMNS}. Default: none.`,
    ),
  ...reading,
});

/** Path of `GET /v1/runs/:id/columns/:name`. */
export const columnPath = z.strictObject({ name: fieldName });

/** Query of `GET /v1/runs/:id/columns/:name`. */
export const columnQuery = z.strictObject({
  source: z
    .enum(['input', 'run'])
    .optional()
    .describe('Where the column comes from: the rows as sent, or the run. Default: the first that has it.'),
});

/** Query of `POST /v1/inspect`. */
export const inspectQuery = z.strictObject({
  name: z.string().max(1000).default('').describe('File name; its extension is a hint.'),
  complete: z
    .enum(['true', 'false'])
    .default('false')
    .transform((complete) => complete === 'true')
    .describe('Whether the body is the whole file.'),
  model: modelName
    .optional()
    .describe(
      "Model that is to embed the texts: its name, repository or short name. Default: the producer's model.",
    ),
  format: z.enum(['jsonl', 'json', 'csv', 'tsv', 'txt']).optional().describe('Chosen format.'),
  textField: fieldName.optional().describe('Chosen column or path of the text.'),
  idField: fieldName.optional().describe('Chosen column or path of the id.'),
  ...reading,
});

const bound = z.union([z.number(), z.string().max(100)]);

/** Which rows a request is about. */
export const rowFilter = z.strictObject({
  columns: z
    .record(
      fieldName,
      z.strictObject({
        in: z.array(z.string()).max(1000).optional().describe('One of these values.'),
        from: bound
          .optional()
          .describe('Minimum: a number, or a date as text or in milliseconds since 1970.'),
        to: bound.optional().describe('Maximum, inclusive.'),
      }),
    )
    .optional()
    .describe('Conditions by column name; all must hold.'),
  topics: z
    .array(
      z
        .int()
        .min(0)
        .max(MAX_TOPICS - 1),
    )
    .max(MAX_TOPICS)
    .optional()
    .describe('Only rows of these topics; the run must have been analysed.'),
});

/** Body of `POST /v1/runs/:id/search`. */
export const searchBody = z
  .strictObject({
    text: z
      .string()
      .min(1)
      .max(20_000)
      .optional()
      .describe('Query text; its vector is computed with the options of the run.'),
    like: z
      .int()
      .min(0)
      .optional()
      .describe(
        'Instead of `text`: a row number; finds the rows with the nearest vectors, without the row itself.',
      ),
    count: z.int().min(1).max(1000).default(20).describe('Maximum number of hits.'),
    mode: z
      .enum(['hybrid', 'vector', 'words'])
      .default('hybrid')
      .describe(
        '`vector` compares vectors, `words` the words by BM25, `hybrid` fuses both rankings by reciprocal rank. With `like` always `vector`.',
      ),
    filter: rowFilter.default({}).describe('Rows to search; applied before ranking.'),
  })
  .refine(({ text, like }) => (text === undefined) !== (like === undefined), 'expected either text or like');

/** Maximum rows per request for texts. */
const MAX_ROWS_SHOWN = 200;

/** Query of `GET /v1/runs/:id/texts`. */
export const textsQuery = z.strictObject({
  rows: z
    .string()
    .regex(/^\d{1,10}(,\d{1,10})*$/, 'expected comma-separated row numbers, from 0')
    .transform((list) => list.split(',').map(Number))
    .refine((rows) => rows.length <= MAX_ROWS_SHOWN, `expected at most ${MAX_ROWS_SHOWN} rows`)
    .describe(`Comma-separated row numbers, from 0; at most ${MAX_ROWS_SHOWN}.`),
});

/** Query of `GET /v1/runs/:id/results`. */
export const resultsQuery = z.strictObject({
  format: z.enum(['jsonl', 'npy', 'parquet', 'arrow']).default('jsonl'),
  encoding: z
    .enum(['float', 'base64'])
    .default('float')
    .describe('Encoding of the vectors in jsonl; base64 encodes the little-endian bytes.'),
  dtype: z
    .enum(['float32', 'float16', 'int8'])
    .default('float32')
    .describe(
      'Number type of the vectors. int8 adds one scale per row: a field of jsonl, a column of parquet and arrow, and for ' +
        'npy the file `GET /v1/runs/:id/scales`.',
    ),
});

/** Query of `GET /v1/runs/:id/report`. */
export const reportQuery = z.strictObject({
  include: z.enum(['truncated']).optional().describe('Also lists truncated rows.'),
});

/** Body of `POST /v1/runs/:id/analysis`. */
export const analysisBody = z.strictObject({
  topics: z
    .int()
    .min(1)
    .max(MAX_TOPICS)
    .nullable()
    .optional()
    .describe(
      'Number of topics, or null to have it chosen; both replace an analysis with another number, and require the role ' +
        'submit. Default: as they are stored, or else chosen.',
    ),
});

const flatFormat = z.enum(['csv', 'parquet', 'xlsx']).default('csv');

/** Query of `GET /v1/runs/:id/topics/table`. */
export const topicsTableQuery = z.strictObject({ format: flatFormat });

/** Maximum rows that a table may be limited to by number. */
const MAX_TABLE_ROWS = 1_000_000;

/** Body of `POST /v1/runs/:id/table`. */
export const tableBody = z.strictObject({
  format: flatFormat,
  rows: z
    .array(z.int().min(0))
    .max(MAX_TABLE_ROWS)
    .nullable()
    .default(null)
    .describe('Rows of the table, from 0; in the order of the run. Default: null, all rows.'),
});

/** Path of `PATCH /v1/runs/:id/topics/:topic`. */
export const topicPath = z.strictObject({
  topic: z
    .string()
    .regex(/^\d{1,5}$/, 'expected the number of a topic, from 0')
    .transform(Number)
    .describe('Number of the topic, from 0.'),
});

/** Body of `PATCH /v1/runs/:id/topics/:topic`. */
export const topicNameBody = z.strictObject({
  name: z
    .string()
    .trim()
    .min(1)
    .max(MAX_TOPIC_NAME_CHARS)
    .regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]*$/u, 'expected a name without control characters')
    .nullable()
    .describe('New name; null for the name from the key terms.'),
});
