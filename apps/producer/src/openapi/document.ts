/**
 * Builds the OpenAPI 3.1 document from the schemas that check requests and the tables of operations.
 * Decision: docs/decisions/0061.
 */

import * as z from 'zod';
import { needOf } from '../access/index.ts';
import { createRunBody } from '../compatible/run-options.ts';
import { alertsBody } from '../health/firing-alerts.ts';
import { deadlineHeaders } from '../http/deadline.ts';
import { permitNulls } from '../http/null-as-absent.ts';
import { PROBLEMS, type ProblemCode } from '../http/problems.ts';
import {
  addRowsQuery,
  analysisBody,
  columnQuery,
  createRunHeaders,
  deleteRunQuery,
  embedBody,
  importQuery,
  inspectQuery,
  listRunsQuery,
  partResultsQuery,
  reportQuery,
  resultsQuery,
  searchBody,
  tableBody,
  textsQuery,
  topicNameBody,
  topicsTableQuery,
} from '../native/schemas.ts';
import { ollamaEmbedBody, ollamaEmbeddingsBody, ollamaPullBody, ollamaShowBody } from '../ollama/schemas.ts';
import { createBatchBody, listBatchesQuery } from '../openai/batches/batch-schemas.ts';
import { openAiEmbeddingsBody } from '../openai/embeddings.ts';
import { listFilesQuery } from '../openai/files/file-schemas.ts';
import { teiEmbedBody, teiSimilarityBody, teiTokenizeBody } from '../tei/schemas.ts';
import { analysisStatusSchema, duplicatesSchema, topicSchema, topicsSchema } from './analysis-schemas.ts';
import { COMPATIBLE_OPERATIONS } from './compatible-operations.ts';
import {
  type DocumentedResponse,
  NATIVE_OPERATIONS,
  type Operation,
  type ParameterSet,
  type SchemaName,
  type Tag,
} from './native-operations.ts';
import * as schemas from './response-schemas.ts';

/** Any JSON object of the document. */
type Json = Record<string, unknown>;

/** What differs between producers. */
export interface DocumentOptions {
  /** Version of this software. */
  version: string;
  /** Whether requests need an API key. */
  requiresKeys: boolean;
}

const requestSchemas = {
  NewRun: createRunBody,
  EmbedRequest: embedBody,
  SearchRequest: searchBody,
  AnalysisRequest: analysisBody,
  TopicName: topicNameBody,
  TableRequest: tableBody,
  OpenAiEmbeddings: openAiEmbeddingsBody,
  OpenAiBatch: createBatchBody,
  OllamaEmbed: ollamaEmbedBody,
  OllamaEmbeddings: ollamaEmbeddingsBody,
  OllamaShow: ollamaShowBody,
  OllamaPull: ollamaPullBody,
  TeiEmbed: teiEmbedBody,
  TeiSimilarity: teiSimilarityBody,
  TeiTokenize: teiTokenizeBody,
  AlertNotice: alertsBody,
} as const satisfies Partial<Record<SchemaName, z.ZodType>>;

const responseSchemas: Readonly<
  Record<Exclude<SchemaName, keyof typeof requestSchemas> | 'Problem', z.ZodType>
> = {
  Run: schemas.runSchema,
  RunPage: schemas.runPageSchema,
  PartReceipt: schemas.partReceiptSchema,
  PartList: schemas.partListSchema,
  ReadingPlan: schemas.readingPlanSchema,
  Embedding: schemas.embeddingSchema,
  Scale: schemas.scaleSchema,
  Statistics: schemas.statisticsSchema,
  RunModels: schemas.runModelsSchema,
  SearchResult: schemas.searchResultSchema,
  Texts: schemas.textsSchema,
  AnalysisStatus: analysisStatusSchema,
  Topics: topicsSchema,
  Topic: topicSchema,
  Duplicates: duplicatesSchema,
  Columns: schemas.columnsSchema,
  ColumnValues: schemas.columnValuesSchema,
  Overview: schemas.overviewSchema,
  Health: schemas.healthSchema,
  Alerts: schemas.alertsSchema,
  Liveness: schemas.livenessSchema,
  Readiness: schemas.readinessSchema,
  Problem: schemas.problemSchema,
};

/**
 * A set of parameters. `io: output` documents the result of a coercion, because its input type is unknown.
 */
interface ParameterSetSchema {
  in: 'query' | 'header';
  schema: z.ZodObject;
  io?: 'output';
}

const parameterSets: Readonly<Record<ParameterSet, ParameterSetSchema>> = {
  listFiles: { in: 'query', schema: listFilesQuery, io: 'output' },
  listBatches: { in: 'query', schema: listBatchesQuery, io: 'output' },
  createRun: { in: 'header', schema: createRunHeaders },
  listRuns: { in: 'query', schema: listRunsQuery },
  deleteRun: { in: 'query', schema: deleteRunQuery },
  importRun: { in: 'query', schema: importQuery },
  addRows: { in: 'query', schema: addRowsQuery },
  inspect: { in: 'query', schema: inspectQuery },
  results: { in: 'query', schema: resultsQuery },
  partResults: { in: 'query', schema: partResultsQuery },
  report: { in: 'query', schema: reportQuery },
  texts: { in: 'query', schema: textsQuery },
  column: { in: 'query', schema: columnQuery },
  topicsTable: { in: 'query', schema: topicsTableQuery },
  deadline: { in: 'header', schema: deadlineHeaders },
};

/** `:id`, or `*name` for a parameter that may contain slashes. */
const PARAMETER = /[:*]([a-z]+)/g;

const text = { type: 'string' };
/** The error shape of each compatible API. */
const COMPATIBLE_ERRORS: Readonly<Partial<Record<Tag, Json>>> = {
  openai: {
    type: 'object',
    required: ['error'],
    properties: {
      error: {
        type: 'object',
        required: ['message', 'type', 'param', 'code'],
        properties: {
          message: text,
          type: text,
          param: { type: ['string', 'null'] },
          code: { type: ['string', 'null'] },
        },
      },
    },
  },
  ollama: { type: 'object', required: ['error'], properties: { error: text } },
  tei: { type: 'object', required: ['error', 'error_type'], properties: { error: text, error_type: text } },
};

/** Problems of every route, and of every route that requires a key. */
const COMMON_PROBLEMS: readonly ProblemCode[] = ['internal'];
const ACCESS_PROBLEMS: readonly ProblemCode[] = ['unauthorized', 'forbidden', 'rate-limited'];

/** A new OpenAPI document. */
export function openApiDocument({ version, requiresKeys }: DocumentOptions): Json {
  const paths: Record<string, Json> = {};
  for (const operation of [...NATIVE_OPERATIONS, ...COMPATIBLE_OPERATIONS]) {
    const path = operation.path.replace(PARAMETER, '{$1}');
    paths[path] = { ...paths[path], [operation.method]: operationOf(operation, requiresKeys) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Embedmill',
      version,
      description:
        'Turns texts into vectors: bulk runs with numbered, idempotent parts, and immediate answers for a few texts. ' +
        'Errors are problem documents (RFC 9457) with a stable `code`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [
      { name: 'runs', description: 'Bulk requests: many rows, one set of options, one output.' },
      { name: 'interactive', description: 'A few texts, embedded immediately.' },
      { name: 'operation', description: 'Monitoring and scaling.' },
      { name: 'openai', description: 'OpenAI API: embeddings, models, files, batches.' },
      { name: 'ollama', description: 'Embedding endpoints of the Ollama API.' },
      { name: 'tei', description: 'API of Hugging Face Text Embeddings Inference.' },
    ],
    paths,
    components: {
      schemas: { ...schemasOf(requestSchemas, 'input'), ...schemasOf(responseSchemas, 'output') },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
        basic: {
          type: 'http',
          scheme: 'basic',
          description: 'The password is the key; the user name is ignored.',
        },
      },
    },
  };
}

function operationOf(operation: Operation, requiresKeys: boolean): Json {
  const { method, path, tag, summary, body } = operation;
  const need = needOf(method.toUpperCase(), path);
  const requiresKey = requiresKeys && need !== 'open';
  return {
    tags: [tag],
    summary,
    operationId: operationIdOf(operation),
    ...(need === 'open' ? {} : { description: `Role: \`${need}\`.` }),
    ...(requiresKey ? { security: [{ bearer: [] }, { apiKey: [] }, { basic: [] }] } : {}),
    parameters: parametersOf(operation),
    ...(body === undefined ? {} : { requestBody: requestBodyOf(body) }),
    responses: { ...errorResponses(operation), ...successResponses(operation.responses) },
  };
}

/**
 * `post /v1/runs/:id/rows` → `postRunsRows`; operations of compatible APIs are prefixed with the name of the
 * API, and those that repeat a route of the OpenAI API without `/v1` end in `Unversioned`.
 */
function operationIdOf({ method, path, tag }: Operation): string {
  const words = path
    .split('/')
    .filter((word) => word !== '' && word !== 'v1' && !word.startsWith(':'))
    .map((word) => word.replace(/\W/g, ''));
  const one = /\/:(id|name)$/.test(path) ? 'One' : '';
  const unversioned = tag === 'openai' && !path.startsWith('/v1/') ? 'Unversioned' : '';
  const name =
    method + words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join('') + one + unversioned;
  return tag in COMPATIBLE_ERRORS ? `${tag}_${name}` : name;
}

function parametersOf({ path, parameters }: Operation): Json[] {
  const pathParameters = [...path.matchAll(PARAMETER)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  if (parameters === undefined) return pathParameters;
  const set = parameterSets[parameters];
  const { required = [] } = jsonSchema(set.schema, 'input');
  const { properties = {} } = jsonSchema(set.schema, set.io ?? 'input');
  const others = Object.entries(properties as Record<string, Json>).map(
    ([name, { description, ...schema }]) => ({
      name,
      in: set.in,
      required: (required as string[]).includes(name),
      ...(description === undefined ? {} : { description }),
      schema,
    }),
  );
  return [...pathParameters, ...others];
}

function requestBodyOf(body: NonNullable<Operation['body']>): Json {
  if (typeof body === 'string') return { content: { 'application/json': { schema: referenceTo(body) } } };
  return { required: true, content: Object.fromEntries(body.map((type) => [type, {}])) };
}

function successResponses(given: Operation['responses']): Json {
  return Object.fromEntries(
    Object.entries(given).map(([status, response]) => [status, responseOf(response)]),
  );
}

function responseOf({ description, json, files }: DocumentedResponse): Json {
  if (json !== undefined)
    return { description, content: { 'application/json': { schema: referenceTo(json) } } };
  if (files === undefined) return { description };
  return { description, content: Object.fromEntries(files.map((type) => [type, {}])) };
}

/** Problems by status; each compatible API has one shape for all errors. */
function errorResponses(operation: Operation): Json {
  const compatible: Json | undefined = COMPATIBLE_ERRORS[operation.tag];
  if (compatible === undefined) return problemResponses(operation);
  // Text Embeddings Inference reports unreadable bodies in plain text.
  const content = { 'application/json': { schema: compatible }, 'text/plain': {} };
  return { default: { description: 'An error in the shape of that API.', content } };
}

/** One response per status, with the possible codes. */
function problemResponses({ method, path, problems }: Operation): Json {
  const isOpen = needOf(method.toUpperCase(), path) === 'open';
  const codes = new Set([...problems, ...COMMON_PROBLEMS, ...(isOpen ? [] : ACCESS_PROBLEMS)]);
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of codes) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codesOfStatus]) => {
      const schema = { allOf: [referenceTo('Problem')], properties: { code: { enum: codesOfStatus } } };
      const description = codesOfStatus.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(' ');
      return [status, { description, content: { 'application/problem+json': { schema } } }];
    }),
  );
}

function referenceTo(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}

/** JSON Schemas that refer to each other by name. */
function schemasOf(named: Readonly<Record<string, z.ZodType>>, io: 'input' | 'output'): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const uri = (id: string) => `#/components/schemas/${id}`;
  const { schemas: generated } = z.toJSONSchema(registry, { io, uri, override: simplify });
  if (io === 'input') permitNulls(generated);
  return Object.fromEntries(
    Object.entries(generated).map(([id, schema]) => [id, withoutIdentity(schema as Json)]),
  );
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  return withoutIdentity(z.toJSONSchema(schema, { io, override: simplify }) as Json);
}

/** Drops `$schema` and `$id`, which the document itself implies. */
function withoutIdentity({ $schema, $id, ...schema }: Json): Json {
  return schema;
}

/** Drops the pattern of numbers that are sent as text, and limits that only restate the number type. */
function simplify({ jsonSchema }: { jsonSchema: Json }): void {
  if (jsonSchema.type === 'integer') delete jsonSchema.pattern;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
}
