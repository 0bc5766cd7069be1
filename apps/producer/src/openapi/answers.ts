/** What answers hold, as zod schemas, for the OpenAPI document; the type checker holds them against the types of the code. */

import {
  CLEAN_STEPS,
  type PartReceipt,
  type ReportRow,
  ROW_VERDICTS,
  type RunInfo,
  type Scale,
} from '@embedmill/contract';
import type { Overview } from '@embedmill/core/redis';
import type { RunStatistics } from '@embedmill/core/runs';
import { z } from 'zod';
import { PROBLEMS } from '../http/problems.ts';
import { longTexts } from '../native/schemas.ts';

const count = z.number().min(0);
const time = z.iso.datetime().describe('ISO 8601, in UTC.');
const verdict = z.enum(ROW_VERDICTS);

const runState = z.enum(['open', 'sealed', 'completed', 'failed', 'cancelled']);

/** A run, as most routes answer. */
export const run: z.ZodType<RunInfo> = z.strictObject({
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
    glossary: z.string().nullable().describe('Hash of the glossary.'),
    batchRows: count,
    batchTokens: count,
  }),
  createdAt: time,
  sealedAt: time.nullable(),
  endedAt: time.nullable(),
  error: z.string().nullable().describe('Why the run failed.'),
  parts: count,
  rows: z.strictObject({ accepted: count, rejected: count, done: count }),
  batches: z.strictObject({ total: count, done: count, stored: count }),
  verdicts: z.strictObject({ ok: count, truncated: count, empty: count, failed: count }),
  tokens: count.describe('Tokens that went through the model.'),
  lostTokens: count.describe('Tokens that were cut off.'),
  chunkedRows: count.describe('Rows whose vector is the mean of chunks.'),
  replacements: count.describe('Terms of the glossary that were replaced.'),
  rowsPerSecond: count,
  tokensPerSecond: count,
  etaSeconds: count.nullable().describe('To the end of the accepted rows at the present rate.'),
  dim: count.nullable().describe('Floats per vector.'),
  fingerprint: z.string().nullable().describe('Of model and treatment: equal means comparable.'),
});

export const runPage = z.strictObject({
  runs: z.array(run).describe('The newest first.'),
  next: z.string().nullable().describe('What to ask for `after` to get the next page.'),
});

const receipt = {
  part: count,
  accepted: count.describe('Rows that are in the run now.'),
  rejectedCount: count,
  sha256: z.string().describe('Of the body as it was before packing, in hexadecimal.'),
};

export const partReceipt: z.ZodType<PartReceipt & { duplicate: boolean }> = z.strictObject({
  ...receipt,
  rejected: z
    .array(z.strictObject({ line: count, code: z.string(), message: z.string() }))
    .describe('Rows that are not in the run; at most 1,000.'),
  duplicate: z.boolean().describe('True when the part was there already.'),
});

export const partList = z.strictObject({ parts: z.array(z.strictObject(receipt)) });

/** One line of a report. */
export const reportRow: z.ZodType<ReportRow> = z.strictObject({
  id: z.string(),
  line: count,
  verdict,
  message: z.string(),
  lostTokens: z.exactOptional(count),
});

export const scale: z.ZodType<Scale> = z.strictObject({
  backlogRows: count,
  backlogTokens: count.describe('Estimated.'),
  rowsPerSecond: count,
  tokensPerSecond: count,
  workers: count.describe('Connected now.'),
  tokensPerSecondPerWorker: count.nullable(),
  drainTargetSeconds: count,
  desiredWorkers: count.describe('Would finish the backlog within the target.'),
});

const outcome = z.strictObject({
  verdict,
  tokens: count,
  lostTokens: count,
  chunks: z.exactOptional(count).describe('Chunks whose mean the vector is, if it is one.'),
  replacements: z.exactOptional(count).describe('Terms of the glossary that were replaced.'),
  chunkSpans: z
    .exactOptional(z.array(z.strictObject({ start: count, end: count, tokens: count })))
    .describe('When asked for: the chunks in the vector, in UTF-16 units of the treated text.'),
  treated: z
    .exactOptional(z.string())
    .describe('The text that chunkSpans are of, where the treatment changed it; without the prompt.'),
  message: z.string().optional(),
});

export const embedding = z.strictObject({
  fingerprint: z.string().describe('Of the model.'),
  dim: count,
  vectors: z
    .array(z.union([z.array(z.number()), z.string(), z.null()]))
    .describe('One per text: floats, or base64 of little-endian float32, or null without a vector.'),
  outcomes: z.array(outcome),
  usage: z.strictObject({ tokens: count, lostTokens: count }),
  timings: z.strictObject({ totalMs: count, queueMs: count, inferMs: count }),
});

export const statistics: z.ZodType<RunStatistics> = z.strictObject({
  pace: z.strictObject({
    startedAt: time.nullable(),
    intervalMs: count,
    rows: z.array(count).describe('Rows done in each interval; the last one may still go on.'),
  }),
  lengths: z
    .array(z.strictObject({ fromTokens: count, rows: count }))
    .describe('Texts by their tokens, those cut off included; each bucket ends where the next one begins.'),
  rows: count.describe('Rows that the buckets count.'),
});

const rowText = {
  row: count.describe('Place in the output, from 0.'),
  id: z.string(),
  text: z.string().nullable().describe('null for a row that came without one.'),
};

export const searchResult = z.strictObject({
  outcome: outcome.describe('Of the text that was searched for; without a vector there are no hits.'),
  rows: count.describe('Rows of the run.'),
  hits: z.array(
    z.strictObject({ ...rowText, score: z.number().describe('Cosine, −1 to 1, the largest first.') }),
  ),
  timings: z.strictObject({ embedMs: count, searchMs: count }),
});

export const texts = z.strictObject({ rows: z.array(z.strictObject(rowText)) });

export const overview: z.ZodType<Overview> = z.strictObject({
  at: time,
  version: z.string(),
  ready: z.boolean(),
  reasons: z.array(z.string()),
  runs: z.array(run).describe('The newest first, at most 20.'),
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
      memoryBytes: count,
      model: z.string(),
      fingerprint: z.string(),
    }),
  ),
  redis: z.strictObject({ usedBytes: count, limitBytes: count }).nullable(),
  credits: z.strictObject({ usedBytes: count, limitBytes: count, waiting: count }),
});

export const health = z.strictObject({ status: z.literal('ok'), version: z.string() });

export const readiness = z.strictObject({ ready: z.boolean(), reasons: z.array(z.string()) });

/** Every error of the native API (RFC 9457); facts of the error stand beside these. */
export const problem = z.looseObject({
  type: z.string().describe('`urn:embedmill:problem:<code>`'),
  title: z.string(),
  status: z.int(),
  detail: z.string().describe('What was given and what was expected.'),
  code: z.enum(Object.keys(PROBLEMS) as [string, ...string[]]).describe('Stable, for programs.'),
  instance: z.string().describe('`urn:embedmill:request:<X-Request-Id>`'),
});
