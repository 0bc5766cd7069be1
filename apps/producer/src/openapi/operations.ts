/** Every native route in words: what it takes, what it answers, which problems it has; the OpenAPI document is made of these. */

import type { ProblemCode } from '../http/problems.ts';

/** Names of the schemas in `document.ts`. */
export type SchemaName =
  | 'NewRun'
  | 'EmbedRequest'
  | 'SearchRequest'
  | 'OpenAiEmbeddings'
  | 'OpenAiBatch'
  | 'OllamaEmbed'
  | 'OllamaEmbeddings'
  | 'OllamaShow'
  | 'TeiEmbed'
  | 'TeiSimilarity'
  | 'TeiTokenize'
  | 'Run'
  | 'RunPage'
  | 'PartReceipt'
  | 'PartList'
  | 'Embedding'
  | 'Scale'
  | 'Statistics'
  | 'SearchResult'
  | 'Texts'
  | 'Overview'
  | 'Health'
  | 'Readiness';

/** Names of the queries and headers in `document.ts`. */
export type ParameterSet =
  | 'listFiles'
  | 'listBatches'
  | 'createRun'
  | 'listRuns'
  | 'addRows'
  | 'results'
  | 'report'
  | 'texts'
  | 'deadline';

/** One answer that is no problem: JSON of a schema, media types of a file, or nothing. */
export interface Answer {
  description: string;
  json?: SchemaName;
  files?: readonly string[];
}

/** Groups of routes; the last three have the errors of the APIs that they stand in for. */
export type Tag = 'runs' | 'interactive' | 'operation' | 'openai' | 'ollama' | 'tei';

/** What one method of one path does. */
export interface Operation {
  method: 'get' | 'post' | 'delete';
  /** As in Express. */
  path: string;
  tag: Tag;
  summary: string;
  parameters?: ParameterSet;
  /** A JSON body, or the media types of another one. */
  body?: SchemaName | readonly string[];
  answers: Readonly<Record<number, Answer>>;
  /** Besides those of every route. */
  problems: readonly ProblemCode[];
}

/** Every route that takes a body may answer with these. */
const OF_BODIES = ['body-stalled', 'body-too-large', 'unsupported-encoding', 'corrupt-gzip'] as const;
const OF_JSON = [...OF_BODIES, 'unsupported-media-type', 'malformed-json', 'invalid-body'] as const;
const OF_RUN = ['unknown-run', 'redis-unavailable', 'bad-path'] as const;
const OF_FILES = [...OF_RUN, 'run-not-completed', 'invalid-query', 'corrupt-files'] as const;

const NDJSON = 'application/x-ndjson';
const aRun = { description: 'The run as it is now.', json: 'Run' } as const;

export const OPERATIONS: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/runs',
    tag: 'runs',
    summary: 'Starts a run',
    parameters: 'createRun',
    body: 'NewRun',
    answers: {
      200: { description: 'The run that was started under this `Idempotency-Key`.', json: 'Run' },
      201: { description: 'The run; `Location` has its path.', json: 'Run' },
    },
    problems: [...OF_JSON, 'invalid-headers', 'key-reused', 'redis-unavailable', 'disk-full'],
  },
  {
    method: 'get',
    path: '/v1/runs',
    tag: 'runs',
    summary: 'Lists runs, the newest first',
    parameters: 'listRuns',
    answers: { 200: { description: 'A page.', json: 'RunPage' } },
    problems: ['invalid-query', 'redis-unavailable'],
  },
  {
    method: 'get',
    path: '/v1/runs/:id',
    tag: 'runs',
    summary: 'Shows a run: state, counts, speed, ETA',
    answers: { 200: aRun },
    problems: OF_RUN,
  },
  {
    method: 'delete',
    path: '/v1/runs/:id',
    tag: 'runs',
    summary: 'Ends a run if need be and removes its files',
    answers: { 204: { description: 'It is gone.' } },
    problems: OF_RUN,
  },
  {
    method: 'post',
    path: '/v1/runs/:id/rows',
    tag: 'runs',
    summary: 'Takes the rows of a part; the same part again changes nothing',
    parameters: 'addRows',
    body: [NDJSON, 'text/csv', 'text/tab-separated-values'],
    answers: {
      200: { description: 'The part was there already.', json: 'PartReceipt' },
      201: { description: 'The rows are safe.', json: 'PartReceipt' },
    },
    problems: [
      ...OF_RUN,
      ...OF_BODIES,
      'unsupported-media-type',
      'invalid-query',
      'missing-column',
      'invalid-header',
      'run-sealed',
      'run-ended',
      'part-conflict',
      'part-in-progress',
      'overloaded',
      'disk-full',
    ],
  },
  {
    method: 'get',
    path: '/v1/runs/:id/parts',
    tag: 'runs',
    summary: 'Lists the parts that are whole',
    answers: { 200: { description: 'Their receipts without the rejected rows.', json: 'PartList' } },
    problems: OF_RUN,
  },
  {
    method: 'post',
    path: '/v1/runs/:id/seal',
    tag: 'runs',
    summary: 'Says that no more rows will come',
    answers: { 200: aRun },
    problems: [...OF_RUN, 'parts-incomplete', 'run-ended'],
  },
  {
    method: 'get',
    path: '/v1/runs/:id/events',
    tag: 'runs',
    summary: 'Follows a run: server-sent events `progress` and `end`, each with the run',
    answers: { 200: { description: 'Events until the run has ended.', files: ['text/event-stream'] } },
    problems: OF_RUN,
  },
  {
    method: 'get',
    path: '/v1/runs/:id/results',
    tag: 'runs',
    summary: 'Gives out the vectors in row order',
    parameters: 'results',
    answers: {
      200: {
        description: 'The file; `ETag` is fixed from the end of the run on.',
        files: [
          NDJSON,
          'application/octet-stream',
          'application/vnd.apache.parquet',
          'application/vnd.apache.arrow.file',
        ],
      },
      206: { description: 'The range that was asked for, of npy.', files: ['application/octet-stream'] },
      304: { description: 'The client has it.' },
    },
    problems: [...OF_FILES, 'range-not-satisfiable'],
  },
  {
    method: 'get',
    path: '/v1/runs/:id/ids',
    tag: 'runs',
    summary: 'Gives out the ids in row order, one JSON object a line',
    answers: { 200: { description: 'The file.', files: [NDJSON] } },
    problems: OF_FILES,
  },
  {
    method: 'get',
    path: '/v1/runs/:id/scales',
    tag: 'runs',
    summary: 'Gives out what the rows of an int8 .npy are to be multiplied by',
    answers: {
      200: { description: 'A float32 .npy, one number per row.', files: ['application/octet-stream'] },
    },
    problems: OF_FILES,
  },
  {
    method: 'get',
    path: '/v1/runs/:id/report',
    tag: 'runs',
    summary: 'Gives out the rows without a vector and why, one JSON object a line',
    parameters: 'report',
    answers: { 200: { description: 'The file.', files: [NDJSON] } },
    problems: OF_FILES,
  },
  {
    method: 'get',
    path: '/v1/runs/:id/statistics',
    tag: 'runs',
    summary: 'Shows the pace of a run and the lengths of its texts',
    answers: { 200: { description: 'Of the rows that are stored.', json: 'Statistics' } },
    problems: [...OF_RUN, 'corrupt-files'],
  },
  {
    method: 'post',
    path: '/v1/runs/:id/search',
    tag: 'runs',
    summary: 'Finds the rows of a completed run that are nearest to a text',
    body: 'SearchRequest',
    answers: { 200: { description: 'The nearest rows first.', json: 'SearchResult' } },
    problems: [
      ...OF_JSON,
      ...OF_RUN,
      'run-not-completed',
      'corrupt-files',
      'unknown-model',
      'overloaded',
      'no-workers',
      'deadline-exceeded',
    ],
  },
  {
    method: 'get',
    path: '/v1/runs/:id/texts',
    tag: 'runs',
    summary: 'Shows the texts of some rows of a completed run',
    parameters: 'texts',
    answers: { 200: { description: 'In the order asked for.', json: 'Texts' } },
    problems: [...OF_RUN, 'invalid-query', 'run-not-completed', 'corrupt-files'],
  },
  {
    method: 'post',
    path: '/v1/runs/:id/retry',
    tag: 'runs',
    summary: 'Embeds the failed rows of a completed run again',
    answers: { 200: aRun },
    problems: [...OF_RUN, 'run-not-completed'],
  },
  {
    method: 'post',
    path: '/v1/runs/:id/cancel',
    tag: 'runs',
    summary: 'Ends a run now',
    answers: { 200: aRun },
    problems: [...OF_RUN, 'run-ended'],
  },
  {
    method: 'post',
    path: '/v1/embed',
    tag: 'interactive',
    summary: 'Embeds a few texts at once, ahead of every bulk run',
    parameters: 'deadline',
    body: 'EmbedRequest',
    answers: { 200: { description: 'One vector and one outcome per text.', json: 'Embedding' } },
    problems: [
      ...OF_JSON,
      'invalid-headers',
      'unknown-run',
      'unknown-model',
      'overloaded',
      'no-workers',
      'redis-unavailable',
      'deadline-exceeded',
    ],
  },
  {
    method: 'get',
    path: '/v1/scale',
    tag: 'operation',
    summary: 'Says how many workers the backlog asks for',
    answers: { 200: { description: 'Backlog, speed and workers.', json: 'Scale' } },
    problems: ['redis-unavailable'],
  },
  {
    method: 'get',
    path: '/v1/overview',
    tag: 'operation',
    summary: 'Shows everything that goes on: runs, queues, workers, Redis',
    answers: { 200: { description: 'As of one moment.', json: 'Overview' } },
    problems: ['redis-unavailable'],
  },
  {
    method: 'get',
    path: '/v1/events',
    tag: 'operation',
    summary: 'Follows the overview: server-sent events `overview`, for as long as the client stays',
    answers: { 200: { description: 'Events without an end.', files: ['text/event-stream'] } },
    problems: [],
  },
  {
    method: 'get',
    path: '/healthz',
    tag: 'operation',
    summary: 'Says that the process lives',
    answers: { 200: { description: 'It does.', json: 'Health' } },
    problems: [],
  },
  {
    method: 'get',
    path: '/readyz',
    tag: 'operation',
    summary: 'Says whether a run could be accepted now',
    answers: {
      200: { description: 'It could.', json: 'Readiness' },
      503: { description: 'It could not, for these reasons.', json: 'Readiness' },
    },
    problems: [],
  },
  {
    method: 'get',
    path: '/metrics',
    tag: 'operation',
    summary: 'The page for Prometheus',
    answers: { 200: { description: 'Series.', files: ['text/plain'] } },
    problems: [],
  },
  {
    method: 'get',
    path: '/openapi.json',
    tag: 'operation',
    summary: 'This document',
    answers: { 200: { description: 'OpenAPI 3.1.', files: ['application/json'] } },
    problems: [],
  },
  {
    method: 'get',
    path: '/docs',
    tag: 'operation',
    summary: 'This document as a page',
    answers: { 200: { description: 'A page without anything from elsewhere.', files: ['text/html'] } },
    problems: [],
  },
];
