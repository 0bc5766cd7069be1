/** Makes the OpenAPI 3.1 document from the schemas that check requests and the table of operations. */

import { z } from 'zod';
import { needOf } from '../access/index.ts';
import { PROBLEMS, type ProblemCode } from '../http/problems.ts';
import {
  addRowsQuery,
  createRunBody,
  createRunHeaders,
  deadlineHeaders,
  embedBody,
  listRunsQuery,
  reportQuery,
  resultsQuery,
  searchBody,
  textsQuery,
} from '../native/schemas.ts';
import * as ollama from '../ollama/schemas.ts';
import { createBatchBody, listBatchesQuery } from '../openai/batch-schemas.ts';
import { listFilesQuery } from '../openai/file-schemas.ts';
import * as openai from '../openai/schemas.ts';
import * as tei from '../tei/schemas.ts';
import * as answers from './answers.ts';
import { COMPATIBLE_OPERATIONS } from './compatible.ts';
import {
  type Answer,
  OPERATIONS,
  type Operation,
  type ParameterSet,
  type SchemaName,
  type Tag,
} from './operations.ts';

/** A part of the document; it is written as JSON and read by nobody here. */
type Json = Record<string, unknown>;

/** What is not the same in every process. */
export interface DocumentDeps {
  /** Of this software. */
  version: string;
  /** Whether requests need an API key. */
  asksForKeys: boolean;
}

const requests = {
  NewRun: createRunBody,
  EmbedRequest: embedBody,
  SearchRequest: searchBody,
  OpenAiEmbeddings: openai.embeddingsBody,
  OpenAiBatch: createBatchBody,
  OllamaEmbed: ollama.embedBody,
  OllamaEmbeddings: ollama.embeddingsBody,
  OllamaShow: ollama.showBody,
  TeiEmbed: tei.embedBody,
  TeiSimilarity: tei.similarityBody,
  TeiTokenize: tei.tokenizeBody,
} as const satisfies Partial<Record<SchemaName, z.ZodType>>;

const responses: Readonly<Record<Exclude<SchemaName, keyof typeof requests> | 'Problem', z.ZodType>> = {
  Run: answers.run,
  RunPage: answers.runPage,
  PartReceipt: answers.partReceipt,
  PartList: answers.partList,
  Embedding: answers.embedding,
  Scale: answers.scale,
  Statistics: answers.statistics,
  SearchResult: answers.searchResult,
  Texts: answers.texts,
  Overview: answers.overview,
  Health: answers.health,
  Readiness: answers.readiness,
  Problem: answers.problem,
};

/** Parameters, and which side of their schema the document shows: what is coerced says nothing of what it takes. */
interface Parameters {
  in: 'query' | 'header';
  schema: z.ZodObject;
  io?: 'output';
}

const parameterSets: Readonly<Record<ParameterSet, Parameters>> = {
  listFiles: { in: 'query', schema: listFilesQuery, io: 'output' },
  listBatches: { in: 'query', schema: listBatchesQuery, io: 'output' },
  createRun: { in: 'header', schema: createRunHeaders },
  listRuns: { in: 'query', schema: listRunsQuery },
  addRows: { in: 'query', schema: addRowsQuery },
  results: { in: 'query', schema: resultsQuery },
  report: { in: 'query', schema: reportQuery },
  texts: { in: 'query', schema: textsQuery },
  deadline: { in: 'header', schema: deadlineHeaders },
};

/** `:id`, and `*name` for a parameter that may have slashes. */
const PARAMETER = /[:*]([a-z]+)/g;

const text = { type: 'string' };
const ERRORS_OF_OTHERS: Readonly<Partial<Record<Tag, Json>>> = {
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

/** Any route may answer with these. */
const PROBLEMS_OF_ALL: readonly ProblemCode[] = ['internal'];
const PROBLEMS_OF_LOCKED: readonly ProblemCode[] = ['unauthorized', 'forbidden', 'rate-limited'];

/** The document; a new one for every call. */
export function openApiDocument({ version, asksForKeys }: DocumentDeps): Json {
  const paths: Record<string, Json> = {};
  for (const operation of [...OPERATIONS, ...COMPATIBLE_OPERATIONS]) {
    const path = operation.path.replace(PARAMETER, '{$1}');
    paths[path] = { ...paths[path], [operation.method]: operationOf(operation, asksForKeys) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Embedmill',
      version,
      description:
        'Texts in, vectors out: bulk runs with numbered, repeatable parts, and a lane for single questions. ' +
        'Errors are problem documents (RFC 9457) with a stable `code`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [
      { name: 'runs', description: 'Many rows, one set of options, one output.' },
      { name: 'interactive', description: 'A few texts, answered at once.' },
      { name: 'operation', description: 'For machines that watch and scale.' },
      { name: 'openai', description: 'The OpenAI API: embeddings, models, files, batches.' },
      { name: 'ollama', description: 'The Ollama API, as far as it embeds.' },
      { name: 'tei', description: 'Text Embeddings Inference.' },
    ],
    paths,
    components: {
      schemas: { ...schemasOf(requests, 'input'), ...schemasOf(responses, 'output') },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
        basic: { type: 'http', scheme: 'basic', description: 'The key is the password; any name.' },
      },
    },
  };
}

function operationOf(operation: Operation, asksForKeys: boolean): Json {
  const { method, path, tag, summary, body } = operation;
  const need = needOf(method.toUpperCase(), path);
  const isLocked = asksForKeys && need !== 'open';
  return {
    tags: [tag],
    summary,
    operationId: operationIdOf(operation),
    ...(need === 'open' ? {} : { description: `Role: \`${need}\`.` }),
    ...(isLocked ? { security: [{ bearer: [] }, { apiKey: [] }, { basic: [] }] } : {}),
    parameters: parametersOf(operation),
    ...(body === undefined ? {} : { requestBody: requestBodyOf(body) }),
    responses: { ...errorAnswers(operation), ...plainAnswers(operation.answers) },
  };
}

/** `post /v1/runs/:id/rows` → `postRunsRows`; of an API of others, with its name. */
function operationIdOf({ method, path, tag }: Operation): string {
  const words = path
    .split('/')
    .filter((word) => word !== '' && word !== 'v1' && !word.startsWith(':'))
    .map((word) => word.replace(/\W/g, ''));
  const one = path.endsWith('/:id') ? 'One' : '';
  const name = method + words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join('') + one;
  return tag in ERRORS_OF_OTHERS ? `${tag}_${name}` : name;
}

function parametersOf({ path, parameters }: Operation): Json[] {
  const inPath = [...path.matchAll(PARAMETER)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  if (parameters === undefined) return inPath;
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
  return [...inPath, ...others];
}

function requestBodyOf(body: NonNullable<Operation['body']>): Json {
  if (typeof body === 'string') return { content: { 'application/json': { schema: referenceTo(body) } } };
  return { required: true, content: Object.fromEntries(body.map((type) => [type, {}])) };
}

function plainAnswers(given: Operation['answers']): Json {
  return Object.fromEntries(Object.entries(given).map(([status, answer]) => [status, answerOf(answer)]));
}

function answerOf({ description, json, files }: Answer): Json {
  if (json !== undefined)
    return { description, content: { 'application/json': { schema: referenceTo(json) } } };
  if (files === undefined) return { description };
  return { description, content: Object.fromEntries(files.map((type) => [type, {}])) };
}

/** Problems by status; the APIs of others have one shape for all errors. */
function errorAnswers(operation: Operation): Json {
  const ofOthers: Json | undefined = ERRORS_OF_OTHERS[operation.tag];
  if (ofOthers === undefined) return problemAnswers(operation);
  // A body that cannot be read is told of in plain text by one of them.
  const content = { 'application/json': { schema: ofOthers }, 'text/plain': {} };
  return { default: { description: 'An error as that API tells it.', content } };
}

/** One answer per status, with the codes that it may have. */
function problemAnswers({ method, path, problems }: Operation): Json {
  const isOpen = needOf(method.toUpperCase(), path) === 'open';
  const codes = new Set([...problems, ...PROBLEMS_OF_ALL, ...(isOpen ? [] : PROBLEMS_OF_LOCKED)]);
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of codes) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, ofStatus]) => {
      const schema = { allOf: [referenceTo('Problem')], properties: { code: { enum: ofStatus } } };
      const description = ofStatus.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(' ');
      return [status, { description, content: { 'application/problem+json': { schema } } }];
    }),
  );
}

function referenceTo(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}

/** The schemas with references to each other. */
function schemasOf(named: Readonly<Record<string, z.ZodType>>, io: 'input' | 'output'): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const uri = (id: string) => `#/components/schemas/${id}`;
  const { schemas } = z.toJSONSchema(registry, { io, uri, override: tidy });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, schema]) => [id, withoutFrame(schema as Json)]),
  );
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  return withoutFrame(z.toJSONSchema(schema, { io, override: tidy }) as Json);
}

/** The document itself says which JSON Schema it is written in, and where each schema is. */
function withoutFrame({ $schema, $id, ...schema }: Json): Json {
  return schema;
}

/** Numbers in a query are text that is checked with a pattern; the document shows the number. */
function tidy({ jsonSchema }: { jsonSchema: Json }): void {
  if (jsonSchema.type === 'integer') delete jsonSchema.pattern;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
}
