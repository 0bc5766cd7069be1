/** Schemas of the responses about an analysed run. */

import type { AnalysisStatus, RunDuplicates, RunTopic, RunTopics } from '@embedmill/contract';
import * as z from 'zod';

const count = z.int().min(0);
const share = z.number().min(0).max(1);
const example = z.strictObject({
  row: count.describe('0-based position in the run.'),
  id: z.string(),
  text: z
    .string()
    .nullable()
    .describe('At most 2,000 characters; null for a row that was rejected on input.'),
});

/** Where an analysis is. */
export const analysisStatusSchema: z.ZodType<AnalysisStatus> = z.strictObject({
  state: z
    .enum(['none', 'waiting', 'running', 'ready', 'failed'])
    .describe(
      '`waiting` for the analyses of other runs; `none` also after a retry, which changes the vectors.',
    ),
  step: z.string().nullable().describe('What is being done now.'),
  progress: share,
  reason: z.string().nullable().describe('Why it failed.'),
  rows: count,
  topics: count.nullable().describe('Number of topics; null until they are found.'),
  requestedTopics: count.nullable().describe('Number of topics that was asked for; null if it is chosen.'),
  steps: z
    .array(z.strictObject({ name: z.string(), seconds: z.number() }))
    .describe('Empty until it is ready.'),
});

/** A topic. */
export const topicSchema: z.ZodType<RunTopic> = z.strictObject({
  topic: count.describe('Number of the topic, largest first.'),
  name: z.string().describe('From its key terms, or as a user named it.'),
  isRenamed: z.boolean(),
  group: count.nullable().describe('Number of its group; null if there are no groups.'),
  rows: count,
  share: share.describe('Share of the rows with a vector.'),
  terms: z
    .array(z.strictObject({ term: z.string(), rows: count.describe('Rows of the topic that have it.') }))
    .describe('Words and pairs of words that are more frequent here than in the other topics, best first.'),
  examples: z.array(example).describe('Up to three typical rows.'),
  nearest: z
    .strictObject({ topic: count, terms: z.array(z.string()) })
    .nullable()
    .describe('The most similar topic, and the terms that distinguish this one from it.'),
  center: z.tuple([z.number(), z.number()]).describe('Median place of its rows on the map.'),
});

/** The topics of a run. */
export const topicsSchema: z.ZodType<RunTopics> = z.strictObject({
  topics: z.array(topicSchema),
  groups: z
    .array(
      z.strictObject({
        group: count,
        name: z.string(),
        rows: count,
        terms: z.array(z.string()),
        topics: z.array(count),
      }),
    )
    .describe('Groups of similar topics, largest first; empty if there are none.'),
});

/** The near-duplicates of a run. */
export const duplicatesSchema: z.ZodType<RunDuplicates> = z.strictObject({
  threshold: z.number().describe('Minimum cosine similarity of linked rows.'),
  groups: z
    .array(
      z.strictObject({
        representative: example,
        rows: z
          .array(z.strictObject({ row: count, score: z.number().describe('Similarity to the first row.') }))
          .describe('The first 100 rows.'),
        size: count,
      }),
    )
    .describe('The 500 largest groups.'),
  groupCount: count.describe('Number of all groups.'),
  rowsInGroups: count.describe('Number of the rows in all groups.'),
});
