/** Bytes, not counts, bound what requests keep in the memory of a producer. */

import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startApi } from '../support/api.ts';

const MEGABYTE = 1024 * 1024;

it('rows of 1 MB are batched by bytes, whatever the maximum rows of a batch', async () => {
  const api = await startApi();
  const { id } = await api.create({ batchRows: 4096 });
  const rows = Array.from({ length: 10 }, (_, i) => ({
    id: `r${i}`,
    text: `${i}`.padEnd(MEGABYTE - 100, 'é '),
  }));
  const half = rows.map(({ id: row, text }) => ({ id: row, text: text.slice(0, text.length / 2) }));
  expect((await api.send(id, 0, half)).status).toBe(201);
  const run = api.collecting.runs.get(id);
  const { batches } = run.files.ledger;
  expect(batches.length).toBeGreaterThan(1);
  for (const { span } of batches) expect(span.bytes).toBeLessThan(4.1 * MEGABYTE);
  expect(batches.reduce((sum, batch) => sum + batch.rows, 0)).toBe(10);
});

describe('when the budget is used up', () => {
  const config = { producerMemoryBytes: 16 * MEGABYTE };
  const body = JSON.stringify({ texts: ['x'.repeat(3 * MEGABYTE)] });
  const json = { 'content-type': 'application/json' };

  it('a call gets 429 with Retry-After in the format of each API, and small calls are answered', async () => {
    const api = await startApi({ config });
    // It takes three quarters of the budget for its answer, which waits for the rest of its body.
    const socket = connect(api.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(
      `POST /v1/embed HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    socket.write(body.slice(0, MEGABYTE));
    const refused = async (path: string, field: string): Promise<void> => {
      const sent = JSON.stringify({ model: 'all-minilm', [field]: 'x'.repeat(3 * MEGABYTE) });
      const answer = await api.call('POST', path, { headers: json, body: sent });
      expect([path, answer.status, answer.headers.get('retry-after')]).toEqual([
        path,
        path.startsWith('/api') ? 503 : 429,
        '5',
      ]);
    };
    await Promise.all([
      refused('/v1/embed', 'text'),
      refused('/v1/embeddings', 'input'),
      refused('/api/embed', 'input'),
      refused('/embed', 'inputs'),
    ]);
    const small = await api.call('POST', '/v1/embed', { headers: json, body: '{"text":"x"}' });
    expect(small.status).toBe(200);
    socket.write(body.slice(MEGABYTE));
    const [start] = (await once(socket, 'data')) as [Buffer];
    expect(start.toString('latin1', 0, 15)).toBe('HTTP/1.1 200 OK');
    socket.destroy();
  });
});

it('a download that nobody reads is ended', async () => {
  const api = await startApi({ limits: { readStallMs: 300 } });
  const form = new FormData();
  form.set('purpose', 'batch');
  form.set('file', new Blob([Buffer.alloc(32 * MEGABYTE, 'x')]), 'large.jsonl');
  const file = await (await api.call('POST', '/v1/files', { body: form })).json();
  const socket = connect(api.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(`GET /v1/files/${file.id}/content HTTP/1.1\r\nHost: x\r\n\r\n`);
  await once(socket, 'readable');
  await expect
    .poll(() => api.logged.find(({ route }) => route === '/v1/files/:id/content'))
    .toMatchObject({ status: 200, brokenOff: true });
  socket.destroy();
});
