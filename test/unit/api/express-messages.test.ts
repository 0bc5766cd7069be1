/** A server makes requests and responses that are Express's own before Express sees them. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { expect, onTestFinished, test } from 'vitest';
import { expressMessages } from '../../../apps/producer/src/http/express-messages.ts';

test('their prototypes are those of the app, and they work', async () => {
  const app = express();
  app.post('/echo', express.json(), (req, res) => {
    res.status(201).json({ body: req.body, host: req.hostname });
  });
  const prototypes: unknown[] = [];
  const server = createServer(expressMessages(app), (req, res) => {
    prototypes.push(Object.getPrototypeOf(req), Object.getPrototypeOf(res));
    app(req, res);
  });
  server.listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/echo`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"a":1}',
  });
  expect(response.status).toBe(201);
  expect(await response.json()).toEqual({ body: { a: 1 }, host: '127.0.0.1' });
  expect(prototypes[0]).toBe(app.request);
  expect(prototypes[1]).toBe(app.response);
});
