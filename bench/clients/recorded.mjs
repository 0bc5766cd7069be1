/**
 * Sends the requests of applications that cannot run here, written by hand from the behaviour of their public sources:
 * Open WebUI, the OpenAI-compatible provider of Dify, AnythingLLM, and the embedding nodes of n8n.
 */

import { check, refused, TEXTS, URL_OF_PRODUCER as url } from './checks.mjs';

const json = { 'content-type': 'application/json' };

async function send(method, path, body, headers = json) {
  const response = await fetch(`${url}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return text;
}
const post = async (path, body, headers) => JSON.parse(await send('POST', path, body, headers));
const vectorsOf = ({ data }) => data.map(({ embedding }) => embedding);

const webUi = {
  ...json,
  authorization: 'Bearer ',
  'x-openwebui-user-name': 'Ann',
  'x-openwebui-user-id': '7c9e',
  'x-openwebui-user-role': 'admin',
};
await check('Open WebUI', 'models of an OpenAI connection', async () => {
  const { data } = JSON.parse(await send('GET', '/v1/models', undefined, webUi));
  return data.map(({ id }) => id).join(', ');
});
await check('Open WebUI', 'embedding engine openai, with the prefix as a field', async () =>
  vectorsOf(await post('/v1/embeddings', { input: TEXTS, model: 'all-minilm', prefix: null }, webUi)),
);
await check(
  'Open WebUI',
  'embedding engine ollama',
  async () =>
    (await post('/api/embed', { input: TEXTS, model: 'all-minilm:latest', truncate: true }, webUi))
      .embeddings,
);
await check('Open WebUI', 'models and version of an Ollama connection', async () => {
  const { models } = JSON.parse(await send('GET', '/api/tags'));
  const { version } = JSON.parse(await send('GET', '/api/version'));
  return `${models[0].name}, version ${version}`;
});
await check('Open WebUI', 'pull in the settings', async () => {
  const lines = (await send('POST', '/api/pull', { name: 'all-minilm', stream: true })).trim().split('\n');
  return `${lines.map((line) => JSON.parse(line).status).join(', ')}`;
});
await check('Dify', 'validation of the credentials', async () => {
  const answer = await post('/v1/embeddings', { input: 'ping', model: 'all-minilm' });
  return `model ${answer.model}, ${answer.usage.total_tokens} tokens`;
});
await check('Dify', 'embeddings with user and encoding_format, ascii JSON', async () => {
  const body = JSON.stringify({ input: TEXTS, model: 'all-minilm', user: 'u', encoding_format: 'float' });
  const ascii = body.replaceAll(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const response = await fetch(`${url}/v1/embeddings`, { method: 'POST', headers: json, body: ascii });
  return vectorsOf(await response.json());
});
await check('AnythingLLM', 'Ollama: GET / and embed with num_ctx', async () => {
  if ((await send('GET', '/', undefined, {})) !== 'Ollama is running') throw new Error('it is not running');
  return (await post('/api/embed', { model: 'all-minilm:latest', input: TEXTS, options: { num_ctx: 8192 } }))
    .embeddings;
});
await check('AnythingLLM', 'generic OpenAI with a base URL without /v1', async () =>
  vectorsOf(await post('/embeddings', { model: 'all-minilm', input: TEXTS, encoding_format: 'float' })),
);
await check('n8n', 'test of Ollama credentials and model list', async () => {
  await send('GET', '/api/tags', undefined, {});
  return (await send('HEAD', '/', undefined, {})) === '' ? 'HEAD / 200, tags 200' : 'HEAD / has a body';
});
await check(
  'n8n',
  'Embeddings OpenAI: models, then 512 texts per call, without line ends',
  async () => {
    await send('GET', '/v1/models', undefined, { authorization: 'Bearer none' });
    const [text] = TEXTS;
    const answer = await post('/v1/embeddings', {
      model: 'all-minilm',
      input: Array.from({ length: 512 }, () => text),
    });
    return vectorsOf(answer).slice(0, 1);
  },
  [TEXTS[0]],
);
await check(
  'n8n',
  'Embeddings Ollama',
  async () =>
    (
      await post('/api/embed', {
        model: 'all-minilm:latest',
        input: TEXTS,
        keep_alive: '5m',
        truncate: null,
        options: {},
      })
    ).embeddings,
);
await check('desktop applications', 'an origin app:// without EMBEDMILL_CORS_ORIGINS', () =>
  refused(
    () => send('GET', '/v1/models', undefined, { origin: 'app://obsidian.md' }),
    /EMBEDMILL_CORS_ORIGINS/,
  ),
);
