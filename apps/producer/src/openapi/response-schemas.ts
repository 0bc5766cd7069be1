/** Schemas of the JSON responses, for the OpenAPI document; checked against the types of the code. */

import {
  type Alert,
  CLEAN_STEPS,
  type Health,
  INPUT_TYPES,
  type PartReceipt,
  PROBLEM_CODES,
  ROW_VERDICTS,
  type RunColumn,
  type RunColumnValues,
  type RunInfo,
  type RunModels,
  type Scale,
  type ScoreBaseline,
} from '@embedmill/contract';
import type { ReadingPlan } from '@embedmill/core/formats';
import type { Overview } from '@embedmill/core/redis';
import type { RunStatistics } from '@embedmill/core/runs';
import * as z from 'zod';
import { longTexts } from '../compatible/run-options.ts';
import { PROBLEMS } from '../http/problems.ts';

const count = z.number().min(0);
const time = z.iso.datetime().describe('ISO 8601 time in UTC.');
const verdict = z.enum(ROW_VERDICTS);

const INPUT_FORMATS = ['jsonl', 'json', 'csv', 'tsv', 'txt', 'parquet', 'arrow'] as const;

const runState = z.enum(['open', 'sealed', 'completed', 'failed', 'cancelled']);

/** A run, the response of most native routes. */
export const runSchema: z.ZodType<RunInfo> = z.strictObject({
  id: z.string(),
  state: runState,
  options: z.strictObject({
    name: z.string().nullable(),
    model: z.string(),
    precision: z.enum(['int8', 'fp32']),
    truncate: z.enum(['end', 'start', 'error']),
    clean: z.array(z.enum(CLEAN_STEPS)),
    long: longTexts,
    prompt: z.string(),
    inputType: z
      .enum(INPUT_TYPES)
      .optional()
      .describe('Which prompt of the model the texts have. Absent: document.'),
    glossary: z.string().nullable().describe('Hash of the glossary.'),
    batchRows: count.nullable().describe('Null: sized by the measured rate of the workers.'),
    batchTokens: count.nullable(),
  }),
  createdAt: time,
  sealedAt: time.nullable(),
  endedAt: time.nullable(),
  error: z.string().nullable().describe('Why the run failed, or why an active run is set aside.'),
  waitsFor: z
    .string()
    .nullable()
    .describe('What an active run waits for, such as a worker with its model; null if nothing is missing.'),
  parts: count,
  rows: z.strictObject({ accepted: count, rejected: count, done: count }),
  batches: z.strictObject({ total: count, done: count, stored: count }),
  verdicts: z.strictObject({ ok: count, truncated: count, empty: count, failed: count }),
  tokens: count.describe('Tokens that the model computed.'),
  lostTokens: count.describe('Tokens lost to truncation.'),
  specialTokens: count.describe('Those of `tokens` that frame texts, such as [CLS] and [SEP].'),
  unknownTokens: count.describe('Tokens that the vocabulary of the model does not know.'),
  unknownScript: z.string().nullable().describe('Script of most of these tokens, such as Thai.'),
  languageSignal: z
    .string()
    .nullable()
    .describe('A warning if more than 5 % of the tokens are unknown to the model.'),
  chunkedRows: count.describe('Rows whose vector is the mean of several chunks.'),
  replacements: count.describe('Number of replaced glossary terms.'),
  rowsPerSecond: count,
  tokensPerSecond: count,
  etaSeconds: count
    .nullable()
    .describe('Estimated seconds until all accepted rows are done, at the current rate.'),
  dim: count.nullable().describe('Floats per vector.'),
  fingerprint: z
    .string()
    .nullable()
    .describe(
      'Identifies model, engine and treatment: equal fingerprints mean equal vectors for equal texts.',
    ),
  bytes: count.describe('Size of its files.'),
  keepDays: count.nullable().describe('Days for which it is kept after its end; null for the default.'),
  expiresAt: time.nullable().describe('When the producer may delete it; null for never.'),
});

/** A page of runs. */
export const runPageSchema = z.strictObject({
  runs: z.array(runSchema).describe('Newest first.'),
  next: z.string().nullable().describe('Value of `after` for the next page; null on the last page.'),
});

const receipt = {
  part: count,
  accepted: count.describe('Rows that were added to the run.'),
  rejectedCount: count,
  sha256: z.string().describe('SHA-256 of the decompressed body, in hexadecimal.'),
};

/** The receipt of an uploaded part. */
export const partReceiptSchema: z.ZodType<PartReceipt & { duplicate: boolean }> = z.strictObject({
  ...receipt,
  rejected: z
    .array(z.strictObject({ line: count, code: z.string(), message: z.string() }))
    .describe('Rows that were not added to the run; at most 1,000.'),
  duplicate: z.boolean().describe('Whether the part had been received before.'),
});

/** The receipts of all complete parts. */
export const partListSchema = z.strictObject({ parts: z.array(z.strictObject(receipt)) });

const planChoices = z.strictObject({
  format: z.exactOptional(z.enum(INPUT_FORMATS)),
  textField: z.exactOptional(z.string()),
  idField: z.exactOptional(z.string()),
  delimiter: z.exactOptional(z.string()),
  quote: z.exactOptional(z.string().nullable()),
  header: z.exactOptional(z.boolean()),
  charset: z.exactOptional(z.string()),
});

/** How a file would be read. */
export const readingPlanSchema: z.ZodType<ReadingPlan> = z.strictObject({
  name: z.string(),
  packing: z.enum(['none', 'gzip', 'zstd', 'bzip2', 'xz']),
  charset: z.string(),
  format: z.enum(INPUT_FORMATS),
  lineEnd: z.enum(['lf', 'crlf', 'cr']).nullable(),
  dialect: z
    .strictObject({ delimiter: z.string(), quote: z.string().nullable(), header: z.boolean() })
    .nullable()
    .describe('How CSV and TSV are split.'),
  columns: z.array(
    z.strictObject({
      name: z.string().describe('Unique: columns that share a name are called name_1, name_2 …'),
      type: z.enum(['text', 'integer', 'number', 'boolean', 'time', 'list', 'object', 'mixed']).nullable(),
      isProse: z.boolean().describe('Whether the values are sentences.'),
      isUnique: z.boolean().describe('Whether every value is present, short and different.'),
      meanChars: count,
    }),
  ),
  textField: z.string().nullable(),
  idField: z.string().nullable().describe('Null if the ids are row numbers.'),
  records: count.describe('Whole records in the bytes given.'),
  usable: count.describe('Records with a text.'),
  complete: z.boolean(),
  confidence: z.enum(['high', 'medium', 'low']),
  scripts: z.record(z.string(), count).describe('Letters of the texts of the sample by script.'),
  warnings: z.array(z.string()),
  problem: z
    .strictObject({
      code: z.string(),
      message: z.string(),
      fix: planChoices
        .nullable()
        .describe('Choices that would read the file, for the query of a further call.'),
    })
    .nullable()
    .describe('Why the file cannot be read as it is.'),
});

/** Backlog, throughput and required workers. */
export const scaleSchema: z.ZodType<Scale> = z.strictObject({
  backlogRows: count,
  backlogTokens: count.describe('Estimated tokens in the backlog.'),
  rowsPerSecond: count,
  tokensPerSecond: count,
  workers: count.describe('Connected workers.'),
  cpuSaturation: count.nullable().describe('Cores that the workers use, divided by those that they may use.'),
  tokensPerSecondPerWorker: count.nullable(),
  drainTargetSeconds: count,
  desiredWorkers: count.describe('Workers that would finish the backlog within the target.'),
});

const outcome = z.strictObject({
  verdict,
  tokens: count,
  lostTokens: count,
  unknownTokens: z.exactOptional(count).describe('Tokens that the vocabulary of the model does not know.'),
  script: z.exactOptional(z.string()).describe('Script of most letters of a text with such tokens.'),
  chunks: z.exactOptional(count).describe('Number of chunks whose mean is the vector, if it is a mean.'),
  replacements: z.exactOptional(count).describe('Number of replaced glossary terms.'),
  chunkSpans: z
    .exactOptional(z.array(z.strictObject({ start: count, end: count, tokens: count })))
    .describe('If requested: the chunks in the vector, as offsets in UTF-16 units of the treated text.'),
  treated: z
    .exactOptional(z.string())
    .describe('The text that chunkSpans refer to, if the treatment changed it; without the prompt.'),
  message: z.string().optional(),
});

/** The response of `POST /v1/embed`. */
export const embeddingSchema = z.strictObject({
  fingerprint: z.string().describe('Identifies the model.'),
  dim: count,
  vectors: z
    .array(z.union([z.array(z.number()), z.string(), z.null()]))
    .describe(
      'One vector per text: floats, base64 of little-endian float32, or null for a text without a vector.',
    ),
  outcomes: z.array(outcome),
  usage: z.strictObject({ tokens: count, lostTokens: count }),
  timings: z.strictObject({ totalMs: count, queueMs: count, inferMs: count }),
});

/** Throughput over time and the distribution of text lengths. */
export const statisticsSchema: z.ZodType<RunStatistics> = z.strictObject({
  pace: z.strictObject({
    startedAt: time.nullable(),
    intervalMs: count,
    rows: z.array(count).describe('Rows done per interval; the last interval may be incomplete.'),
  }),
  lengths: z
    .array(z.strictObject({ fromTokens: count, rows: count }))
    .describe('Number of texts by tokens before truncation; each bucket ends where the next one begins.'),
  rows: count.describe('Total rows in the buckets.'),
});

const rowText = {
  row: count.describe('Row number in the output, from 0.'),
  id: z.string(),
  text: z.string().nullable().describe('null for a row that was submitted without a text.'),
  columns: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .describe('The kept values of its columns; missing ones are absent.'),
};

const baseline: z.ZodType<ScoreBaseline> = z.strictObject({
  mean: z.number(),
  spread: z.number().describe('Standard deviation.'),
  pairs: count,
});

/** The models that runs may use. */
export const runModelsSchema: z.ZodType<RunModels> = z.strictObject({
  default: z.string().describe('Model of runs that name none.'),
  models: z.array(
    z.strictObject({
      name: z.string(),
      isLoaded: z.boolean().describe('Whether a worker has it; else one loads it when a run asks for it.'),
      dim: count.nullable().describe('Floats per vector.'),
      maxTokens: count.nullable(),
      prompts: z
        .strictObject({ query: z.string(), document: z.string() })
        .nullable()
        .describe('Put before texts by their input type.'),
      scripts: z.array(z.string()).nullable().describe('Scripts of which its vocabulary has words.'),
      baseline: baseline.nullable().describe('Cosines of its unrelated texts.'),
    }),
  ),
});

const rank = z.int().min(1).nullable();

/** The hits of a search. */
export const searchResultSchema = z.strictObject({
  outcome: outcome
    .nullable()
    .describe(
      'Outcome of the query text; without a vector only its words are compared. null if no text was embedded.',
    ),
  mode: z.enum(['hybrid', 'vector', 'words']),
  rows: count.describe('Rows in the run.'),
  hits: z.array(
    z.strictObject({
      ...rowText,
      score: z
        .number()
        .nullable()
        .describe('Cosine similarity, −1 to 1; null if the row or the query has no vector.'),
      relative: z
        .number()
        .nullable()
        .describe(
          'The score on a scale where 0 stands for unrelated texts of this model and 1 for equal ones; null if its unrelated texts were not measured.',
        ),
      rank: z
        .strictObject({ vector: rank, words: rank })
        .describe('Rank by each comparison, from 1; null: not among the rows that were fused.'),
      words: z
        .array(z.string())
        .describe(
          'Words of the query as they stand in the text, without those that are far more common than its rarest one.',
        ),
      spans: z
        .array(z.tuple([count, count]))
        .describe('Start and end of these words in the text, in UTF-16 units; at most 100.'),
      reason: z.string().describe('The ranks in words.'),
    }),
  ),
  baseline: baseline
    .nullable()
    .describe('Cosines of unrelated texts of the model, measured when it was added.'),
  timings: z.strictObject({
    embedMs: count,
    searchMs: count.describe('Includes reading the run on the first search.'),
    readMs: count,
  }),
});

/** The texts of selected rows. */
export const textsSchema = z.strictObject({ rows: z.array(z.strictObject(rowText)) });

/** The columns of a run. */
export const columnsSchema: z.ZodType<{ columns: RunColumn[] }> = z.strictObject({
  columns: z.array(
    z.strictObject({
      name: z.string(),
      kind: z
        .enum(['category', 'number', 'date', 'text'])
        .describe('What its values are; `category` has few different ones, `text` has too many to compare.'),
      source: z.enum(['input', 'run']).describe('`run`: `length` in characters, and `verdict`.'),
      distinct: count.describe('Different values, counted up to 10,000.'),
      missing: count.describe('Rows without a value of this kind.'),
    }),
  ),
});

/** The values of one column. */
export const columnValuesSchema: z.ZodType<RunColumnValues> = z.union([
  z.strictObject({
    kind: z.literal('category'),
    values: z.array(z.string()),
    codes: z.array(z.int()).describe('Index into `values` per row; -1 without a value.'),
  }),
  z.strictObject({ kind: z.literal('number'), numbers: z.array(z.number().nullable()) }),
  z.strictObject({
    kind: z.literal('date'),
    times: z.array(z.number().nullable()).describe('Milliseconds since 1970.'),
  }),
]);

/** What is wrong with the producer now. */
export const healthSchema: z.ZodType<Health> = z.strictObject({
  state: z
    .enum(['ok', 'degraded', 'unavailable'])
    .describe('`unavailable` if new rows are refused, `degraded` if something else is wrong.'),
  sentence: z.string().describe('The first problem, or what the producer is doing.'),
  problems: z
    .array(
      z.strictObject({
        code: z.enum(PROBLEM_CODES),
        severity: z.enum(['critical', 'warning', 'advice']),
        sentence: z.string().describe('What is wrong.'),
        remedy: z.string().describe('What ends it.'),
        mayPass: z.boolean().describe('False if it lasts until somebody changes something.'),
        refusesRows: z.boolean().describe('Whether new rows are refused while it lasts.'),
        run: z.string().nullable().describe('Id of the only run that it concerns; null if it concerns all.'),
      }),
    )
    .describe('The heaviest first.'),
});

const alert: z.ZodType<Alert> = z.strictObject({
  name: z.string().describe('Name of the rule, such as `EmbedmillNoWorkers`.'),
  severity: z.string().describe('`critical`, `warning`, or what a rule of the operator says.'),
  summary: z.string().describe('What is wrong.'),
  runbookUrl: z.string().nullable().describe('Page that says what to do.'),
  startsAt: time,
});

/** The alerts that fire. */
export const alertsSchema = z.strictObject({ alerts: z.array(alert) });

/** The state of runs, queues, workers and Redis. */
export const overviewSchema: z.ZodType<Overview> = z.strictObject({
  at: time,
  version: z.string(),
  health: healthSchema,
  alerts: z.array(alert).describe('Alerts of Prometheus that fire.'),
  runs: z.array(runSchema).describe('Newest first, at most 20.'),
  runCounts: z.record(runState, count),
  rowsPerSecond: count,
  tokensPerSecond: count,
  tokensPerSecondPerWorker: count.nullable(),
  history: z.strictObject({ intervalMs: count, rowsPerSecond: z.array(count) }),
  queues: z.array(
    z.strictObject({
      lane: z.enum(['bulk', 'interactive']),
      counts: z.strictObject({ waiting: count, active: count, delayed: count, failed: count }),
      oldestWaitingMs: count,
    }),
  ),
  workers: z.array(
    z.strictObject({
      id: z.string(),
      host: z.string(),
      startedAt: time,
      threads: count,
      busyThreads: count,
      waitingBatches: count,
      usedCores: count,
      quotaCores: count,
      throttledRatio: count
        .optional()
        .describe('Share of the time for which the CPU quota stopped its threads.'),
      memoryBytes: count,
      model: z.string(),
      fingerprint: z.string(),
      tokensPerSecond: count.optional().describe('Estimated tokens per second of one busy thread.'),
      engine: z.string().optional().describe('`exact` with its kernel, or `onnx`.'),
      otherModels: z
        .array(
          z.strictObject({
            name: z.string(),
            fingerprint: z.string(),
            engine: z.string(),
            tokensPerSecond: count.optional(),
          }),
        )
        .optional()
        .describe('Models that it serves besides its own one.'),
      installedModels: z
        .array(z.string())
        .optional()
        .describe('Models that it loads when a run asks for them.'),
      pullsModels: z.boolean().optional().describe('Whether it also pulls those that the producer has.'),
      modelLoads: z
        .array(
          z.strictObject({ model: z.string(), state: z.enum(['loading', 'failed']), reason: z.string() }),
        )
        .optional()
        .describe('Models that it is loading, or cannot load.'),
    }),
  ),
  redis: z.strictObject({ usedBytes: count, limitBytes: count }).nullable(),
  credits: z.strictObject({ usedBytes: count, limitBytes: count, waiting: count }),
  storage: z
    .strictObject({
      runsBytes: count.describe('Size of the files of all runs.'),
      filesBytes: count.describe('Size of the files of the OpenAI API.'),
      freeBytes: count.nullable().describe('Free bytes on the disk.'),
      keepRunsDays: count
        .nullable()
        .describe('Days for which finished runs are kept; null: until they are deleted.'),
    })
    .nullable()
    .describe('The data folder; null until it is open.'),
});

/** The response of `/healthz`. */
export const livenessSchema = z.strictObject({ status: z.literal('ok'), version: z.string() });

/** The response of `/readyz`. */
export const readinessSchema = z.strictObject({ ready: z.boolean(), reasons: z.array(z.string()) });

/** Any error of the native API (RFC 9457); the facts of the error are additional members. */
export const problemSchema = z.looseObject({
  type: z.string().describe('`urn:embedmill:problem:<code>`'),
  title: z.string(),
  status: z.int(),
  detail: z.string().describe('What was given and what was expected.'),
  code: z.enum(Object.keys(PROBLEMS) as [string, ...string[]]).describe('Stable identifier for programs.'),
  instance: z.string().describe('`urn:embedmill:request:<X-Request-Id>`'),
});
