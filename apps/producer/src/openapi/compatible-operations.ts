/** Describes the routes of the compatible APIs, which specify their own responses. */

import type { DocumentedResponse, Operation } from './native-operations.ts';

const JSON_TYPE = 'application/json';
const responseOf = (api: string): DocumentedResponse => ({
  description: `Same as in the ${api}.`,
  files: [JSON_TYPE],
});

const openai = { tag: 'openai', problems: [], responses: { 200: responseOf('OpenAI API') } } as const;
const ollama = { tag: 'ollama', problems: [], responses: { 200: responseOf('Ollama API') } } as const;
const tei = {
  tag: 'tei',
  problems: [],
  responses: { 200: responseOf('API of Text Embeddings Inference') },
} as const;
const JSON_LINES = {
  description: 'A file of JSON lines.',
  files: ['application/octet-stream', 'application/x-ndjson'],
};

/** All routes of the compatible APIs. */
export const COMPATIBLE_OPERATIONS: readonly Operation[] = [
  {
    ...openai,
    method: 'post',
    path: '/v1/embeddings',
    summary: 'Embed texts',
    body: 'OpenAiEmbeddings',
  },
  {
    ...openai,
    method: 'post',
    path: '/embeddings',
    summary: 'Same as /v1/embeddings',
    body: 'OpenAiEmbeddings',
  },
  { ...openai, method: 'get', path: '/v1/models', summary: 'List the served model' },
  { ...openai, method: 'get', path: '/models', summary: 'Same as /v1/models' },
  { ...openai, method: 'get', path: '/models/*name', summary: 'Same as /v1/models/{name}' },
  { ...openai, method: 'get', path: '/v1/models/*name', summary: 'Get the served model' },
  {
    ...openai,
    method: 'post',
    path: '/v1/files',
    summary: 'Upload the input file of a batch',
    body: ['multipart/form-data'],
  },
  { ...openai, method: 'get', path: '/v1/files', summary: 'List files', parameters: 'listFiles' },
  { ...openai, method: 'get', path: '/v1/files/:id', summary: 'Get the facts of a file' },
  { ...openai, method: 'delete', path: '/v1/files/:id', summary: 'Delete a file' },
  {
    ...openai,
    method: 'get',
    path: '/v1/files/:id/content',
    summary: 'Download a file',
    responses: { 200: JSON_LINES, 206: { ...JSON_LINES, description: 'The requested byte range.' } },
  },
  {
    ...openai,
    method: 'post',
    path: '/v1/batches',
    summary: 'Create a batch from an uploaded file',
    body: 'OpenAiBatch',
  },
  { ...openai, method: 'get', path: '/v1/batches', summary: 'List batches', parameters: 'listBatches' },
  { ...openai, method: 'get', path: '/v1/batches/:id', summary: 'Get a batch, with rows/s and ETA' },
  { ...openai, method: 'post', path: '/v1/batches/:id/cancel', summary: 'Cancel a batch' },
  {
    ...openai,
    method: 'get',
    path: '/v1/batches/:id/output',
    summary: 'Download the partial output of a batch in progress (not in the OpenAI API)',
    responses: { 200: JSON_LINES },
  },
  { ...ollama, method: 'post', path: '/api/embed', summary: 'Embed texts', body: 'OllamaEmbed' },
  {
    ...ollama,
    method: 'post',
    path: '/api/embeddings',
    summary: 'Embed one text (older form)',
    body: 'OllamaEmbeddings',
  },
  { ...ollama, method: 'get', path: '/api/tags', summary: 'List the served model' },
  { ...ollama, method: 'get', path: '/api/ps', summary: 'Get the model that the workers have loaded' },
  {
    ...ollama,
    method: 'post',
    path: '/api/show',
    summary: 'Get the served model',
    body: 'OllamaShow',
  },
  {
    ...ollama,
    method: 'post',
    path: '/api/pull',
    summary: 'Report that the served model is present; other models are not pulled',
    body: 'OllamaPull',
    responses: {
      200: {
        description: 'Status lines, or one object with `stream: false`.',
        files: ['application/x-ndjson', JSON_TYPE],
      },
    },
  },
  { ...ollama, method: 'get', path: '/api/version', summary: 'Get the version' },
  {
    ...ollama,
    method: 'get',
    path: '/',
    summary: 'Check that the server is running; browsers get the dashboard',
    responses: { 200: { description: 'A sentence or a page.', files: ['text/plain', 'text/html'] } },
  },
  { ...tei, method: 'post', path: '/embed', summary: 'Embed texts', body: 'TeiEmbed' },
  { ...tei, method: 'post', path: '/', summary: 'Same as /embed', body: 'TeiEmbed' },
  { ...tei, method: 'post', path: '/invocations', summary: 'Same as /embed', body: 'TeiEmbed' },
  {
    ...tei,
    method: 'post',
    path: '/similarity',
    summary: 'Compare a text with others',
    body: 'TeiSimilarity',
  },
  { ...tei, method: 'post', path: '/tokenize', summary: 'Tokenize texts', body: 'TeiTokenize' },
  { ...tei, method: 'get', path: '/info', summary: 'Get the served model and its limits' },
  {
    ...tei,
    method: 'get',
    path: '/health',
    summary: 'Check that a worker can answer',
    responses: { 200: { description: 'A worker can answer.' } },
  },
];
