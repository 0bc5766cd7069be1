/** Tries the clients for Node; `main.mjs` copies it to the folder with their packages. */

import { createRequire } from 'node:module';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { HuggingfaceServerEmbeddingFunction } from '@chroma-core/huggingface-server';
import { OllamaEmbeddingFunction } from '@chroma-core/ollama';
import { OpenAIEmbeddingFunction } from '@chroma-core/openai';
import { InferenceClient } from '@huggingface/inference';
import { OllamaEmbeddings } from '@langchain/ollama';
import { OpenAIEmbeddings } from '@langchain/openai';
import { OllamaEmbedding } from '@llamaindex/ollama';
import { OpenAIEmbedding } from '@llamaindex/openai';
import { embed, embedMany } from 'ai';
import { Ollama } from 'ollama';
import { createOllama } from 'ollama-ai-provider-v2';
import OpenAI from 'openai';
import { check, refused, TEXTS, URL_OF_PRODUCER as url } from './checks.mjs';

const { dependencies } = createRequire(import.meta.url)('./package.json');
const named = (name) => `${name} ${dependencies[name]}`;
const OPENAI = named('openai');
const model = 'all-minilm';
const apiKey = 'none';

const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
const vectorsOf = ({ data }) => data.map(({ embedding }) => embedding);
await check(OPENAI, 'embeddings (base64)', async () =>
  vectorsOf(await openai.embeddings.create({ model, input: TEXTS })),
);
await check(OPENAI, 'embeddings (float)', async () =>
  vectorsOf(await openai.embeddings.create({ model, input: TEXTS, encoding_format: 'float' })),
);
await check(OPENAI, 'base URL without /v1', async () => {
  const client = new OpenAI({ baseURL: url, apiKey });
  return vectorsOf(await client.embeddings.create({ model, input: TEXTS }));
});
await check(OPENAI, 'models', async () => (await openai.models.list()).data.map(({ id }) => id).join(', '));
await check(OPENAI, 'token ids', () =>
  refused(
    () => openai.embeddings.create({ model, input: [[2028, 374, 264]] }),
    /check_embedding_ctx_length=False/,
  ),
);
await check(OPENAI, 'unknown model', () =>
  refused(() => openai.embeddings.create({ model: 'text-embedding-3-small', input: 'a' }), /unknown model/),
);

const ollama = new Ollama({ host: url });
await check(named('ollama'), 'embed', async () => (await ollama.embed({ model, input: TEXTS })).embeddings);
await check(named('ollama'), 'list, show, ps, pull', async () => {
  const [{ name }] = (await ollama.list()).models;
  const { model_info } = await ollama.show({ model: name });
  const [loaded] = (await ollama.ps()).models;
  const statuses = [];
  for await (const { status } of await ollama.pull({ model: name, stream: true })) statuses.push(status);
  if (loaded.name !== name || statuses.at(-1) !== 'success') throw new Error(`${loaded.name}, ${statuses}`);
  return `${name}, dimension ${model_info['bert.embedding_length']}, pull: ${statuses.join(', ')}`;
});
await check(named('ollama'), 'pull of another model', () =>
  refused(async () => {
    for await (const _ of await ollama.pull({ model: 'nomic-embed-text', stream: true }));
  }, /this server has no model/),
);

// LangChain for JavaScript replaces line ends in queries and documents, unless told otherwise.
const langchain = { model, apiKey, stripNewLines: false, configuration: { baseURL: `${url}/v1` } };
await check(named('@langchain/openai'), 'embedDocuments', () =>
  new OpenAIEmbeddings(langchain).embedDocuments(TEXTS),
);
await check(
  named('@langchain/openai'),
  'embedQuery',
  async () => [await new OpenAIEmbeddings(langchain).embedQuery(TEXTS[0])],
  [TEXTS[0]],
);
const langchainOllama = (options) =>
  new OllamaEmbeddings({ model, baseUrl: url, ...options }).embedDocuments(TEXTS);
await check(named('@langchain/ollama'), 'embedDocuments with truncate: true', () =>
  langchainOllama({ truncate: true }),
);
// As with Ollama.
await check(named('@langchain/ollama'), 'a text over the token limit with the default truncate: false', () =>
  refused(() => langchainOllama({}), /exceeds the context length/),
);

const llamaIndex = new OpenAIEmbedding({ model, apiKey, baseURL: `${url}/v1` });
await check(named('@llamaindex/openai'), 'getTextEmbeddings', () => llamaIndex.getTextEmbeddings(TEXTS));
const llamaIndexOllama = new OllamaEmbedding({ model, config: { host: url } });
await check(named('@llamaindex/ollama'), 'getTextEmbedding', async () => {
  const vectors = [];
  for (const text of TEXTS) vectors.push(await llamaIndexOllama.getTextEmbedding(text));
  return vectors;
});

const provider = createOpenAICompatible({ name: 'embedmill', baseURL: `${url}/v1` });
const AI = `${named('ai')}, ${named('@ai-sdk/openai-compatible')}`;
await check(
  AI,
  'embedMany',
  async () => (await embedMany({ model: provider.embeddingModel(model), values: TEXTS })).embeddings,
);
await check(
  AI,
  'embed',
  async () => [(await embed({ model: provider.embeddingModel(model), value: TEXTS[0] })).embedding],
  [TEXTS[0]],
);
const aiOllama = createOllama({ baseURL: `${url}/api` });
await check(
  `${named('ai')}, ${named('ollama-ai-provider-v2')}`,
  'embedMany',
  async () => (await embedMany({ model: aiOllama.embedding(model), values: TEXTS })).embeddings,
);

await check(named('@chroma-core/openai'), 'generate', () =>
  new OpenAIEmbeddingFunction({ apiKey, modelName: model, apiBase: `${url}/v1` }).generate(TEXTS),
);
await check(named('@chroma-core/ollama'), 'generate', () =>
  new OllamaEmbeddingFunction({ url, model }).generate(TEXTS),
);
await check(named('@chroma-core/huggingface-server'), 'generate', () =>
  new HuggingfaceServerEmbeddingFunction({ url: `${url}/embed` }).generate(TEXTS),
);

await check(named('@huggingface/inference'), 'featureExtraction (TEI)', () =>
  new InferenceClient(undefined, { endpointUrl: url }).featureExtraction({ inputs: TEXTS }),
);
