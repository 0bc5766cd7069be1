/** Embedding texts through a producer, simulated by a server in the test. */

import { createServer } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { openEmbedder } from '../../../apps/cli/src/engine/embedder/open.ts';

/** Answers POST /v1/embed: the length of each text as its vector, none for blanks. */
async function startProducer() {
  const requests: { path: string | undefined; key: string | undefined; body: { texts: string[] } }[] = [];
  const server = createServer(async (req, res) => {
    const body = JSON.parse(await readText(req));
    requests.push({ path: req.url, key: req.headers.authorization, body });
    const vectors = (body.texts as string[]).map((text) =>
      text.trim() === '' ? null : Buffer.from(Float32Array.of(text.length).buffer).toString('base64'),
    );
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({ dim: 1, vectors }));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return { url: `http://127.0.0.1:${address.port}`, requests };
}

test('--server sends texts in requests of 256 and joins the vectors', async () => {
  const { url, requests } = await startProducer();
  const config = {
    model: undefined,
    cacheDir: '/nonexistent',
    engine: 'auto',
    kernel: 'auto',
    apiKey: 'secret',
  } as const;
  const signal = new AbortController().signal;
  const treatment = { clean: ['html'], long: 'mean', prompt: 'query: ' } as const;
  const flags = { server: url, model: 'small', precision: 'fp32', ...treatment } as const;
  const embedder = await openEmbedder(flags, { config, inputType: 'query', signal });
  const texts = Array.from({ length: 300 }, (_, n) => (n === 299 ? ' ' : 'x'.repeat(n + 1)));
  const steps: number[] = [];
  const { dim, vectors } = await embedder.embed(texts, (done) => steps.push(done));
  expect(dim).toBe(1);
  expect([...vectors]).toEqual(texts.map((_, n) => (n === 299 ? 0 : n + 1)));
  expect(steps).toEqual([256, 300]);
  expect(requests.map(({ path, key, body }) => [path, key, body.texts.length])).toEqual([
    ['/v1/embed', 'Bearer secret', 256],
    ['/v1/embed', 'Bearer secret', 44],
  ]);
  expect(requests[0]?.body).toMatchObject({ model: 'small', precision: 'fp32', ...treatment });
  // Documents get the prompt of the model, not the one of the questions.
  await embedder.embed(['x'], undefined, 'document');
  expect(requests.at(-1)?.body).toMatchObject({ texts: ['x'], prompt: '', inputType: 'document' });
  const glossary = 'terms.csv';
  await expect(openEmbedder({ ...flags, glossary }, { config, inputType: 'query', signal })).rejects.toThrow(
    '--glossary cannot be used with --server',
  );
});
