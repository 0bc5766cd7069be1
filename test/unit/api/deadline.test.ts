/** The signals that end requests. */

import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Response } from 'express';
import { expect, onTestFinished, test } from 'vitest';
import { abortAfter } from '../../../apps/producer/src/http/deadline.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Makes a request that is answered once its signal of `timeoutMs` is aborted. */
async function request(timeoutMs: number, signal?: AbortSignal) {
  const server = createServer();
  onTestFinished(() => void server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const requested = once(server, 'request') as Promise<[unknown, ServerResponse]>;
  const answer = fetch(`http://127.0.0.1:${port}`, { signal: signal ?? null });
  const [, res] = await requested;
  const aborted = new Promise<void>((resolve) => {
    abortAfter(res as Response, timeoutMs).addEventListener('abort', () => resolve());
  });
  return { answer, aborted, res };
}

test('a wait ends after its time, also if nothing else refers to its signal', async () => {
  const { answer, aborted, res } = await request(50);
  collectGarbage();
  await aborted;
  res.writeHead(204).end();
  expect((await answer).status).toBe(204);
});

test('a wait ends when the client disconnects', async () => {
  const client = new AbortController();
  const { answer, aborted } = await request(600_000, client.signal);
  client.abort();
  await expect(answer).rejects.toThrow('aborted');
  await aborted;
});
