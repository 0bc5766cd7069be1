/** Makes the OpenAPI 3.1 document from the schemas that check requests and the table of operations. */

import { z } from 'zod';
import { needOf } from '../access/index.ts';
import { PROBLEMS, type ProblemCode } from '../api/problems.ts';
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
} from '../api/schemas.ts';
import * as answers from './answers.ts';
import { type Answer, OPERATIONS, type Operation, type ParameterSet, type SchemaName } from './operations.ts';

/** A part of the document; it is written as JSON and read by nobody here. */
type Json = Record<string, unknown>;

/** What is not the same in every process. */
export interface DocumentParts {
  /** Of this software. */
  version: string;
  /** Whether requests need an API key. */
  asksForKeys: boolean;
}

const requests: Readonly<Partial<Record<SchemaName, z.ZodType>>> = {
  NewRun: createRunBody,
  EmbedRequest: embedBody,
  SearchRequest: searchBody,
};

const responses: Readonly<
  Record<Exclude<SchemaName, 'NewRun' | 'EmbedRequest' | 'SearchRequest'> | 'Problem', z.ZodType>
> = {
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

const parameterSets: Readonly<Record<ParameterSet, { in: 'query' | 'header'; schema: z.ZodObject }>> = {
  createRun: { in: 'header', schema: createRunHeaders },
  listRuns: { in: 'query', schema: listRunsQuery },
  addRows: { in: 'query', schema: addRowsQuery },
  results: { in: 'query', schema: resultsQuery },
  report: { in: 'query', schema: reportQuery },
  texts: { in: 'query', schema: textsQuery },
  deadline: { in: 'header', schema: deadlineHeaders },
};

/** Any route may answer with these. */
const PROBLEMS_OF_ALL: readonly ProblemCode[] = ['internal'];
const PROBLEMS_OF_LOCKED: readonly ProblemCode[] = ['unauthorized', 'forbidden', 'rate-limited'];

/** The document; a new one for every call. */
export function openApiDocument({ version, asksForKeys }: DocumentParts): Json {
  const paths: Record<string, Json> = {};
  for (const operation of OPERATIONS) {
    const path = operation.path.replace(/:([a-z]+)/g, '{$1}');
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
    responses: { ...problemAnswers(operation), ...plainAnswers(operation.answers) },
  };
}

/** `post /v1/runs/:id/rows` → `postRunsRows`. */
function operationIdOf({ method, path }: Operation): string {
  const words = path
    .split('/')
    .filter((word) => word !== '' && word !== 'v1' && !word.startsWith(':'))
    .map((word) => word.replace(/\W/g, ''));
  const one = path.endsWith('/:id') ? 'One' : '';
  return method + words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join('') + one;
}

function parametersOf({ path, parameters }: Operation): Json[] {
  const inPath = [...path.matchAll(/:([a-z]+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  if (parameters === undefined) return inPath;
  const set = parameterSets[parameters];
  const { properties = {}, required = [] } = jsonSchema(set.schema, 'input');
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
