/** The routes that speak the APIs of others, for the OpenAPI document: what they take; their answers are described by those APIs. */

import type { Answer, Operation } from './operations.ts';

const JSON_TYPE = 'application/json';
const asThere = (name: string): Answer => ({ description: `As the ${name} answers.`, files: [JSON_TYPE] });

const openai = { tag: 'openai', problems: [], answers: { 200: asThere('OpenAI API') } } as const;
const ollama = { tag: 'ollama', problems: [], answers: { 200: asThere('Ollama API') } } as const;
const tei = { tag: 'tei', problems: [], answers: { 200: asThere('server of that name') } } as const;
const aFile = { description: 'JSON lines.', files: ['application/octet-stream', 'application/x-ndjson'] };

export const COMPATIBLE_OPERATIONS: readonly Operation[] = [
  {
    ...openai,
    method: 'post',
    path: '/v1/embeddings',
    summary: 'Embeds texts',
    body: 'OpenAiEmbeddings',
  },
  { ...openai, method: 'get', path: '/v1/models', summary: 'Lists the served model' },
  { ...openai, method: 'get', path: '/v1/models/*name', summary: 'Shows the served model' },
  {
    ...openai,
    method: 'post',
    path: '/v1/files',
    summary: 'Takes the input of a batch',
    body: ['multipart/form-data'],
  },
  { ...openai, method: 'get', path: '/v1/files', summary: 'Lists files', parameters: 'listFiles' },
  { ...openai, method: 'get', path: '/v1/files/:id', summary: 'Shows a file' },
  { ...openai, method: 'delete', path: '/v1/files/:id', summary: 'Removes a file' },
  {
    ...openai,
    method: 'get',
    path: '/v1/files/:id/content',
    summary: 'Gives out a file',
    answers: { 200: aFile, 206: { ...aFile, description: 'The range that was asked for.' } },
  },
  {
    ...openai,
    method: 'post',
    path: '/v1/batches',
    summary: 'Starts a batch on an uploaded file',
    body: 'OpenAiBatch',
  },
  { ...openai, method: 'get', path: '/v1/batches', summary: 'Lists batches', parameters: 'listBatches' },
  { ...openai, method: 'get', path: '/v1/batches/:id', summary: 'Shows a batch, with rows/s and ETA' },
  { ...openai, method: 'post', path: '/v1/batches/:id/cancel', summary: 'Ends a batch' },
  {
    ...openai,
    method: 'get',
    path: '/v1/batches/:id/output',
    summary: 'Ours: gives out what is done while the batch still runs',
    answers: { 200: aFile },
  },
  { ...ollama, method: 'post', path: '/api/embed', summary: 'Embeds texts', body: 'OllamaEmbed' },
  {
    ...ollama,
    method: 'post',
    path: '/api/embeddings',
    summary: 'Embeds one text, the older way',
    body: 'OllamaEmbeddings',
  },
  { ...ollama, method: 'get', path: '/api/tags', summary: 'Lists the served model' },
  { ...ollama, method: 'get', path: '/api/ps', summary: 'Shows the model that workers have loaded' },
  {
    ...ollama,
    method: 'post',
    path: '/api/show',
    summary: 'Shows the served model',
    body: 'OllamaShow',
  },
  { ...ollama, method: 'get', path: '/api/version', summary: 'Shows the version' },
  {
    ...ollama,
    method: 'get',
    path: '/',
    summary: 'Says that it runs; browsers get the pages for people',
    answers: { 200: { description: 'A sentence or a page.', files: ['text/plain', 'text/html'] } },
  },
  { ...tei, method: 'post', path: '/embed', summary: 'Embeds texts', body: 'TeiEmbed' },
  { ...tei, method: 'post', path: '/', summary: 'As /embed', body: 'TeiEmbed' },
  { ...tei, method: 'post', path: '/invocations', summary: 'As /embed', body: 'TeiEmbed' },
  {
    ...tei,
    method: 'post',
    path: '/similarity',
    summary: 'Compares a text with others',
    body: 'TeiSimilarity',
  },
  { ...tei, method: 'post', path: '/tokenize', summary: 'Shows the tokens of texts', body: 'TeiTokenize' },
  { ...tei, method: 'get', path: '/info', summary: 'Shows the served model and its limits' },
  {
    ...tei,
    method: 'get',
    path: '/health',
    summary: 'Says whether a worker would answer',
    answers: { 200: { description: 'One would.' } },
  },
];
