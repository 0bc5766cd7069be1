/** Describes every native route for the OpenAPI document: parameters, body, responses and problems. */

import { VECTOR_BLOCKS_TYPE } from '@embedmill/contract';
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
  | 'OllamaPull'
  | 'TeiEmbed'
  | 'TeiSimilarity'
  | 'TeiTokenize'
  | 'AlertNotice'
  | 'Run'
  | 'RunPage'
  | 'PartReceipt'
  | 'PartList'
  | 'ReadingPlan'
  | 'Embedding'
  | 'Scale'
  | 'Statistics'
  | 'RunModels'
  | 'SearchResult'
  | 'Texts'
  | 'Columns'
  | 'ColumnValues'
  | 'AnalysisRequest'
  | 'AnalysisStatus'
  | 'Topics'
  | 'Topic'
  | 'TopicName'
  | 'Duplicates'
  | 'TableRequest'
  | 'Overview'
  | 'Health'
  | 'Alerts'
  | 'Liveness'
  | 'Readiness';

/** Names of the queries and headers in `document.ts`. */
export type ParameterSet =
  | 'listFiles'
  | 'listBatches'
  | 'createRun'
  | 'listRuns'
  | 'deleteRun'
  | 'importRun'
  | 'addRows'
  | 'inspect'
  | 'partResults'
  | 'results'
  | 'report'
  | 'texts'
  | 'column'
  | 'topicsTable'
  | 'deadline';

/** A response other than a problem: JSON of a schema, media types of a file, or no body. */
export interface DocumentedResponse {
  description: string;
  json?: SchemaName;
  files?: readonly string[];
}

/** Groups of routes; the last three report errors in the shape of the API that they implement. */
export type Tag = 'runs' | 'interactive' | 'operation' | 'openai' | 'ollama' | 'tei';

/** One method of one path. */
export interface Operation {
  method: 'get' | 'post' | 'patch' | 'delete';
  /** In the syntax of Express. */
  path: string;
  tag: Tag;
  summary: string;
  parameters?: ParameterSet;
  /** The schema of a JSON body, or the media types of another body. */
  body?: SchemaName | readonly string[];
  responses: Readonly<Record<number, DocumentedResponse>>;
  /** Problems in addition to those of every route. */
  problems: readonly ProblemCode[];
}

/** Problems by what a route reads. */
const BODY_PROBLEMS = ['body-stalled', 'body-too-large', 'unsupported-encoding', 'corrupt-gzip'] as const;
const JSON_PROBLEMS = [...BODY_PROBLEMS, 'unsupported-media-type', 'malformed-json', 'invalid-body'] as const;
const RUN_PROBLEMS = ['unknown-run', 'redis-unavailable', 'bad-path'] as const;
const FILE_PROBLEMS = [...RUN_PROBLEMS, 'run-not-completed', 'invalid-query', 'corrupt-files'] as const;

const ANALYSIS_PROBLEMS = [...RUN_PROBLEMS, 'run-not-completed', 'not-analysed', 'overloaded'] as const;

/** Media types of the tables of an analysed run. */
const TABLE_TYPES = [
  'text/csv',
  'application/vnd.apache.parquet',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
];

const NDJSON = 'application/x-ndjson';
const CURRENT_RUN = { description: 'The current state of the run.', json: 'Run' } as const;

/** All native routes. */
export const NATIVE_OPERATIONS: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/runs',
    tag: 'runs',
    summary: 'Create a run',
    parameters: 'createRun',
    body: 'NewRun',
    responses: {
      200: { description: 'The run that was created earlier with this `Idempotency-Key`.', json: 'Run' },
      201: { description: 'The new run; `Location` is its path.', json: 'Run' },
    },
    problems: [
      ...JSON_PROBLEMS,
      'invalid-headers',
      'key-reused',
      'redis-unavailable',
      'disk-full',
      'disk-unavailable',
    ],
  },
  {
    method: 'get',
    path: '/v1/runs',
    tag: 'runs',
    summary: 'List runs, newest first',
    parameters: 'listRuns',
    responses: { 200: { description: 'A page of runs.', json: 'RunPage' } },
    problems: ['invalid-query', 'redis-unavailable'],
  },
  {
    method: 'get',
    path: '/v1/runs/:id',
    tag: 'runs',
    summary: 'Get the state, counts, throughput and ETA of a run',
    responses: { 200: CURRENT_RUN },
    problems: RUN_PROBLEMS,
  },
  {
    method: 'delete',
    path: '/v1/runs/:id',
    tag: 'runs',
    summary: 'Delete a run and its files, cancelling it first if necessary',
    parameters: 'deleteRun',
    responses: { 204: { description: 'The run was deleted.' } },
    problems: [...RUN_PROBLEMS, 'invalid-query', 'run-not-finished', 'run-in-use'],
  },
  {
    method: 'get',
    path: '/v1/runs/:id/export',
    tag: 'runs',
    summary: 'Download a finished run as one file: rows, vectors and ledger, with checksums',
    responses: {
      200: { description: 'A tar file for `POST /v1/runs/import`.', files: ['application/x-tar'] },
    },
    problems: [...RUN_PROBLEMS, 'run-not-finished', 'corrupt-files'],
  },
  {
    method: 'post',
    path: '/v1/runs/import',
    tag: 'runs',
    summary: 'Import an exported run; nothing is kept of a damaged or incomplete file',
    parameters: 'importRun',
    body: ['application/x-tar'],
    responses: { 201: { description: 'The run; `Location` is its path.', json: 'Run' } },
    problems: [
      ...BODY_PROBLEMS,
      'invalid-query',
      'corrupt-export',
      'run-exists',
      'redis-unavailable',
      'disk-full',
      'disk-unavailable',
    ],
  },
  {
    method: 'post',
    path: '/v1/runs/:id/rows',
    tag: 'runs',
    summary: 'Add the rows of a part; repeating a part is idempotent',
    parameters: 'addRows',
    body: [NDJSON, 'application/json', 'text/csv', 'text/tab-separated-values'],
    responses: {
      200: { description: 'The part had been received before.', json: 'PartReceipt' },
      201: { description: 'The rows are stored durably.', json: 'PartReceipt' },
    },
    problems: [
      ...RUN_PROBLEMS,
      ...BODY_PROBLEMS,
      'unsupported-media-type',
      'invalid-query',
      'missing-column',
      'invalid-header',
      'unknown-charset',
      'truncated-json',
      'run-sealed',
      'run-ended',
      'part-conflict',
      'part-in-progress',
      'overloaded',
      'disk-full',
      'disk-unavailable',
    ],
  },
  {
    method: 'get',
    path: '/v1/run-models',
    tag: 'runs',
    summary: 'List the models that runs may use',
    responses: { 200: { description: 'The models; none without connected workers.', json: 'RunModels' } },
    problems: [],
  },
  {
    method: 'post',
    path: '/v1/inspect',
    tag: 'runs',
    summary: 'Say how a file would be read, judged by its name and first bytes',
    parameters: 'inspect',
    body: ['application/octet-stream'],
    responses: { 200: { description: 'The plan, with its problem if there is one.', json: 'ReadingPlan' } },
    problems: [
      ...BODY_PROBLEMS,
      'invalid-query',
      'unknown-charset',
      'corrupt-zstd',
      'corrupt-bzip2',
      'corrupt-xz',
      'overloaded',
    ],
  },
  {
    method: 'get',
    path: '/v1/runs/:id/parts',
    tag: 'runs',
    summary: 'List the complete parts',
    responses: { 200: { description: 'Receipts without the rejected rows.', json: 'PartList' } },
    problems: RUN_PROBLEMS,
  },
  {
    method: 'delete',
    path: '/v1/runs/:id/parts/:part',
    tag: 'runs',
    summary: 'Drop the rows of an interrupted part',
    responses: { 204: { description: 'The part has no rows.' } },
    problems: [
      ...RUN_PROBLEMS,
      'part-complete',
      'part-in-progress',
      'run-sealed',
      'run-ended',
      'invalid-query',
    ],
  },
  {
    method: 'get',
    path: '/v1/runs/:id/parts/:part/results',
    tag: 'runs',
    summary:
      'Download the vectors of one part as soon as its rows are done, also before the run is completed',
    parameters: 'partResults',
    responses: {
      200: { description: 'Vector blocks, see docs/api.md.', files: [VECTOR_BLOCKS_TYPE] },
      204: { description: 'The rows of the part are not done yet; ask again.' },
    },
    problems: [...RUN_PROBLEMS, 'invalid-query', 'run-ended', 'corrupt-files', 'overloaded'],
  },
  {
    method: 'post',
    path: '/v1/runs/:id/seal',
    tag: 'runs',
    summary: 'Seal a run: no more rows will be added',
    responses: { 200: CURRENT_RUN },
    problems: [...RUN_PROBLEMS, 'parts-incomplete', 'run-ended'],
  },
  {
    method: 'get',
    path: '/v1/runs/:id/events',
    tag: 'runs',
    summary: 'Follow a run through server-sent events: `progress` and `end`, each with the run',
    responses: { 200: { description: 'Events until the run has ended.', files: ['text/event-stream'] } },
    problems: RUN_PROBLEMS,
  },
  {
    method: 'get',
    path: '/v1/runs/:id/results',
    tag: 'runs',
    summary: 'Download the vectors in row order',
    parameters: 'results',
    responses: {
      200: {
        description: 'The file; its `ETag` is fixed once the run has ended.',
        files: [
          NDJSON,
          'application/octet-stream',
          'application/vnd.apache.parquet',
          'application/vnd.apache.arrow.file',
        ],
      },
      206: { description: 'The requested byte range; npy only.', files: ['application/octet-stream'] },
      304: { description: 'The client already has the file.' },
    },
    problems: [...FILE_PROBLEMS, 'range-not-satisfiable'],
  },
  {
    method: 'get',
    path: '/v1/runs/:id/ids',
    tag: 'runs',
    summary: 'Download the ids in row order, one JSON object per line',
    responses: { 200: { description: 'The file.', files: [NDJSON] } },
    problems: FILE_PROBLEMS,
  },
  {
    method: 'get',
    path: '/v1/runs/:id/scales',
    tag: 'runs',
    summary: 'Download the scales by which the rows of an int8 .npy must be multiplied',
    responses: {
      200: {
        description: 'A float32 .npy file with one number per row.',
        files: ['application/octet-stream'],
      },
    },
    problems: FILE_PROBLEMS,
  },
  {
    method: 'get',
    path: '/v1/runs/:id/report',
    tag: 'runs',
    summary: 'Download the rows without a vector and the reasons, one JSON object per line',
    parameters: 'report',
    responses: { 200: { description: 'The file.', files: [NDJSON] } },
    problems: FILE_PROBLEMS,
  },
  {
    method: 'get',
    path: '/v1/runs/:id/statistics',
    tag: 'runs',
    summary: 'Get the throughput of a run over time and the lengths of its texts',
    responses: { 200: { description: 'Statistics of the stored rows.', json: 'Statistics' } },
    problems: [...RUN_PROBLEMS, 'corrupt-files'],
  },
  {
    method: 'post',
    path: '/v1/runs/:id/search',
    tag: 'runs',
    summary: 'Search a completed run by meaning and words, or for rows like a row',
    body: 'SearchRequest',
    responses: { 200: { description: 'The hits, best first.', json: 'SearchResult' } },
    problems: [
      ...JSON_PROBLEMS,
      ...RUN_PROBLEMS,
      'run-not-completed',
      'unknown-column',
      'column-is-text',
      'invalid-filter',
      'corrupt-files',
      'unknown-model',
      'overloaded',
      'no-workers',
      'model-loading',
      'deadline-exceeded',
    ],
  },
  {
    method: 'get',
    path: '/v1/runs/:id/texts',
    tag: 'runs',
    summary: 'Get the texts of selected rows of a completed run',
    parameters: 'texts',
    responses: { 200: { description: 'The texts, in the requested order.', json: 'Texts' } },
    problems: [...RUN_PROBLEMS, 'invalid-query', 'run-not-completed', 'corrupt-files'],
  },
  {
    method: 'get',
    path: '/v1/runs/:id/columns',
    tag: 'runs',
    summary: 'List the columns of a completed run: those that it keeps of its rows, length and verdict',
    responses: { 200: { description: 'The columns and the kinds of their values.', json: 'Columns' } },
    problems: [...RUN_PROBLEMS, 'run-not-completed', 'corrupt-files', 'overloaded'],
  },
  {
    method: 'get',
    path: '/v1/runs/:id/columns/:name',
    tag: 'runs',
    summary: 'Get the values of one column of a completed run, in row order',
    parameters: 'column',
    responses: { 200: { description: 'One value per row.', json: 'ColumnValues' } },
    problems: [...FILE_PROBLEMS, 'unknown-column', 'column-is-text', 'overloaded'],
  },
  {
    method: 'post',
    path: '/v1/runs/:id/analysis',
    tag: 'runs',
    summary: 'Find the topics, the map and the near-duplicates of a completed run, in the background',
    body: 'AnalysisRequest',
    responses: { 202: { description: 'Where the analysis is.', json: 'AnalysisStatus' } },
    problems: [
      ...JSON_PROBLEMS,
      ...RUN_PROBLEMS,
      'run-not-completed',
      'too-many-topics',
      'run-too-large',
      'overloaded',
    ],
  },
  {
    method: 'get',
    path: '/v1/runs/:id/analysis',
    tag: 'runs',
    summary: 'Show where the analysis of a completed run is',
    responses: { 200: { description: 'State and progress.', json: 'AnalysisStatus' } },
    problems: [...RUN_PROBLEMS, 'run-not-completed', 'overloaded'],
  },
  {
    method: 'get',
    path: '/v1/runs/:id/topics',
    tag: 'runs',
    summary: 'List the topics of an analysed run, and their groups',
    responses: { 200: { description: 'The topics, largest first.', json: 'Topics' } },
    problems: ANALYSIS_PROBLEMS,
  },
  {
    method: 'get',
    path: '/v1/runs/:id/topics/rows',
    tag: 'runs',
    summary: 'Get the topic of each row of an analysed run',
    responses: {
      200: {
        description:
          'For n rows: n little-endian float32, the cosine similarity to the centroid of the topic (NaN without a vector), ' +
          'then n little-endian int16, the topic (-1 without a vector).',
        files: ['application/octet-stream'],
      },
    },
    problems: ANALYSIS_PROBLEMS,
  },
  {
    method: 'get',
    path: '/v1/runs/:id/topics/table',
    tag: 'runs',
    summary: 'Download the topics of an analysed run as a table',
    parameters: 'topicsTable',
    responses: { 200: { description: 'One row per topic.', files: TABLE_TYPES } },
    problems: [...ANALYSIS_PROBLEMS, 'invalid-query'],
  },
  {
    method: 'patch',
    path: '/v1/runs/:id/topics/:topic',
    tag: 'runs',
    summary: 'Name a topic of an analysed run',
    body: 'TopicName',
    responses: { 200: { description: 'The topic.', json: 'Topic' } },
    problems: [...JSON_PROBLEMS, ...ANALYSIS_PROBLEMS, 'invalid-query', 'unknown-topic'],
  },
  {
    method: 'get',
    path: '/v1/runs/:id/map',
    tag: 'runs',
    summary: 'Get the place of each row of an analysed run on the map',
    responses: {
      200: {
        description: 'x and y of each row as little-endian float32, interleaved; NaN without a vector.',
        files: ['application/octet-stream'],
      },
    },
    problems: ANALYSIS_PROBLEMS,
  },
  {
    method: 'get',
    path: '/v1/runs/:id/duplicates',
    tag: 'runs',
    summary: 'List the largest groups of near-duplicates of an analysed run',
    responses: { 200: { description: 'Groups of linked rows.', json: 'Duplicates' } },
    problems: ANALYSIS_PROBLEMS,
  },
  {
    method: 'post',
    path: '/v1/runs/:id/table',
    tag: 'runs',
    summary: 'Download rows of an analysed run with their kept columns and topics as a table',
    body: 'TableRequest',
    responses: { 200: { description: 'One row per row of the run.', files: TABLE_TYPES } },
    problems: [...JSON_PROBLEMS, ...ANALYSIS_PROBLEMS, 'run-too-large'],
  },
  {
    method: 'post',
    path: '/v1/runs/:id/retry',
    tag: 'runs',
    summary: 'Embed the failed rows of a completed run again',
    responses: { 200: CURRENT_RUN },
    problems: [...RUN_PROBLEMS, 'run-not-completed'],
  },
  {
    method: 'post',
    path: '/v1/runs/:id/cancel',
    tag: 'runs',
    summary: 'Cancel a run',
    responses: { 200: CURRENT_RUN },
    problems: [...RUN_PROBLEMS, 'run-ended'],
  },
  {
    method: 'post',
    path: '/v1/embed',
    tag: 'interactive',
    summary: 'Embed a few texts immediately, with priority over bulk runs',
    parameters: 'deadline',
    body: 'EmbedRequest',
    responses: { 200: { description: 'One vector and one outcome per text.', json: 'Embedding' } },
    problems: [
      ...JSON_PROBLEMS,
      'invalid-headers',
      'unknown-run',
      'unknown-model',
      'overloaded',
      'no-workers',
      'model-loading',
      'redis-unavailable',
      'deadline-exceeded',
    ],
  },
  {
    method: 'get',
    path: '/v1/health',
    tag: 'operation',
    summary: 'Get what is wrong now and what ends it',
    responses: { 200: { description: 'State, one sentence, and all problems.', json: 'Health' } },
    problems: [],
  },
  {
    method: 'get',
    path: '/v1/alerts',
    tag: 'operation',
    summary: 'List the alerts that fire',
    responses: { 200: { description: 'The critical ones first, then the oldest.', json: 'Alerts' } },
    problems: [],
  },
  {
    method: 'post',
    path: '/v1/alerts',
    tag: 'operation',
    summary: 'Receive alerts: the webhook of Alertmanager',
    body: 'AlertNotice',
    responses: {
      204: { description: 'The alerts are shown until they end, or are not repeated for 15 minutes.' },
    },
    problems: JSON_PROBLEMS,
  },
  {
    method: 'get',
    path: '/v1/scale',
    tag: 'operation',
    summary: 'Get the number of workers that the backlog requires',
    responses: { 200: { description: 'Backlog, throughput and workers.', json: 'Scale' } },
    problems: ['redis-unavailable'],
  },
  {
    method: 'get',
    path: '/hub/api/models/:owner/:name/revision/:revision',
    tag: 'operation',
    summary: 'List the files of a model that is installed beside the producer, as the Hugging Face Hub does',
    responses: {
      200: { description: 'Commit, files, sizes and SHA-256.', files: ['application/json'] },
    },
    problems: ['not-found'],
  },
  {
    method: 'get',
    path: '/hub/:owner/:name/resolve/:revision/*path',
    tag: 'operation',
    summary: 'Get a file of an installed model, or a range of it',
    responses: { 200: { description: 'The file.', files: ['application/octet-stream'] } },
    problems: ['not-found'],
  },
  {
    method: 'get',
    path: '/v1/overview',
    tag: 'operation',
    summary: 'Get the state of runs, queues, workers and Redis',
    responses: { 200: { description: 'A snapshot.', json: 'Overview' } },
    problems: ['redis-unavailable'],
  },
  {
    method: 'get',
    path: '/v1/events',
    tag: 'operation',
    summary: 'Follow the overview through server-sent events: `overview`, until the client disconnects',
    responses: { 200: { description: 'An endless stream of events.', files: ['text/event-stream'] } },
    problems: [],
  },
  {
    method: 'get',
    path: '/healthz',
    tag: 'operation',
    summary: 'Check liveness',
    responses: { 200: { description: 'The process is running.', json: 'Liveness' } },
    problems: [],
  },
  {
    method: 'get',
    path: '/readyz',
    tag: 'operation',
    summary: 'Check readiness',
    responses: {
      200: { description: 'A run would be accepted.', json: 'Readiness' },
      503: { description: 'A run would not be accepted, for these reasons.', json: 'Readiness' },
    },
    problems: [],
  },
  {
    method: 'get',
    path: '/metrics',
    tag: 'operation',
    summary: 'Get metrics for Prometheus',
    responses: { 200: { description: 'Metrics in the Prometheus text format.', files: ['text/plain'] } },
    problems: [],
  },
  {
    method: 'get',
    path: '/openapi.json',
    tag: 'operation',
    summary: 'Get this document',
    responses: { 200: { description: 'An OpenAPI 3.1 document.', files: ['application/json'] } },
    problems: [],
  },
  {
    method: 'get',
    path: '/docs',
    tag: 'operation',
    summary: 'Show this document as a page',
    responses: { 200: { description: 'A page that loads no external resources.', files: ['text/html'] } },
    problems: [],
  },
];
