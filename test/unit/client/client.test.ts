/** Tests the client against servers with wrong, late or missing responses. */

import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { EmbedmillClient, PassingFault, withRetry } from '@embedmill/client';
import { describe, expect, onTestFinished, test, vi } from 'vitest';

/** Starts a server with the given request handler. */
async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const clientFor = (url: string, signal = new AbortController().signal) =>
  new EmbedmillClient({ url, signal });

describe('a client', () => {
  test('throws the code and the detail of a problem document', async () => {
    const url = await serve((_, response) => {
      response.writeHead(404, { 'content-type': 'application/problem+json' });
      response.end(
        JSON.stringify({ title: 'No run', status: 404, code: 'unknown-run', detail: 'there is no run "r1"' }),
      );
    });
    await expect(clientFor(url).getRun('r1')).rejects.toMatchObject({
      status: 404,
      code: 'unknown-run',
      message: 'there is no run "r1"',
    });
  });

  test('throws the status if the response is not from a producer', async () => {
    const url = await serve((_, response) => response.writeHead(403).end('<html>'));
    await expect(clientFor(url).getRun('r1')).rejects.toMatchObject({
      status: 403,
      message: `${url} responded with 403 Forbidden`,
    });
  });

  test.each([429, 502, 503, 504])('treats status %i as a temporary failure', async (status) => {
    const url = await serve((_, response) => response.writeHead(status, { 'retry-after': '7' }).end());
    const fault = await clientFor(url)
      .getRun('r1')
      .catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(PassingFault);
    expect(fault).toMatchObject({ retryAfterMs: 7000 });
  });

  test('says that a producer without results of parts is an older one', async () => {
    const url = await serve((_, response) =>
      response
        .writeHead(404)
        .end(JSON.stringify({ code: 'not-found', detail: 'nothing is served at GET "/"' })),
    );
    await expect(clientFor(url).readPart('r1', 1)).rejects.toThrow('the producer is older than this client');
  });

  test('reports why a producer is not ready', async () => {
    const url = await serve((_, response) =>
      response.writeHead(503).end(JSON.stringify({ ready: false, reasons: ['Redis is away.'] })),
    );
    await expect(clientFor(url).checkReady()).rejects.toThrow('Redis is away.');
  });

  test('treats a refused or broken connection as a temporary failure', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"id"');
      setTimeout(() => response.destroy(), 20);
    });
    await expect(clientFor(url).getRun('r1')).rejects.toThrow(PassingFault);
    await expect(
      (async () => {
        for await (const _ of await clientFor(url).openIds('r1'));
      })(),
    ).rejects.toThrow(PassingFault);
    // No server listens on a port that was just released.
    const gone = createServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address() as AddressInfo;
    gone.close();
    await once(gone, 'close');
    await expect(clientFor(`http://127.0.0.1:${port}`).getRun('r1')).rejects.toThrow(
      /no response .*ECONNREFUSED/,
    );
  });

  test('reads all pages of the list', async () => {
    const url = await serve((request, response) => {
      const after = new URL(request.url ?? '', 'http://host').searchParams.get('after');
      response.end(
        JSON.stringify(
          after === null ? { runs: [{ id: 'b' }], next: 'b' } : { runs: [{ id: 'a' }], next: null },
        ),
      );
    });
    expect((await clientFor(url).listRuns()).map(({ id }) => id)).toEqual(['b', 'a']);
  });
});

describe('withRetry', () => {
  test('returns the value once the failure has passed, and reports the reason for the wait', async () => {
    let requests = 0;
    const url = await serve((_, response) => {
      requests += 1;
      if (requests < 3)
        response.writeHead(503, { 'retry-after': '0' }).end(JSON.stringify({ detail: 'Redis is away' }));
      else response.end(JSON.stringify({ id: 'r1' }));
    });
    const waits: (string | null)[] = [];
    const patience = {
      signal: new AbortController().signal,
      onWait: (reason: string | null) => waits.push(reason),
    };
    expect(await withRetry(() => clientFor(url).getRun('r1'), patience)).toEqual({ id: 'r1' });
    expect(waits).toEqual(['Redis is away', 'Redis is away', null]);
  });

  test('does not retry permanent errors', async () => {
    let requests = 0;
    const url = await serve((_, response) => {
      requests += 1;
      response.writeHead(409).end();
    });
    const patience = { signal: new AbortController().signal, onWait: () => {} };
    await expect(withRetry(() => clientFor(url).seal('r1'), patience)).rejects.toMatchObject({
      status: 409,
    });
    expect(requests).toBe(1);
  });

  test('ends when the signal is aborted, during a request or a pause', async () => {
    const silent = await serve(() => {});
    const busy = await serve((_, response) => response.writeHead(503, { 'retry-after': '600' }).end());
    for (const url of [silent, busy]) {
      const interrupting = new AbortController();
      const reason = new Error('stop');
      const patience = { signal: interrupting.signal, onWait: () => interrupting.abort(reason) };
      const waiting = withRetry(() => clientFor(url, interrupting.signal).getRun('r1'), patience);
      if (url === silent) setTimeout(() => interrupting.abort(reason), 50);
      await expect(waiting).rejects.toBe(reason);
    }
  });
});

describe('a request', () => {
  test('carries the API key and nothing else about the caller', async () => {
    const url = await serve((request, response) => {
      response.end(JSON.stringify({ id: request.headers.authorization }));
    });
    const asked = await new EmbedmillClient({ url: `${url}/`, apiKey: 'a-key-of-mine' }).getRun('r1');
    expect(asked.id).toBe('Bearer a-key-of-mine');
  });

  test('is aborted by the signal of the call or of the client', async () => {
    const url = await serve(() => {});
    const reason = new Error('no longer wanted');
    const ofCall = AbortSignal.abort(reason);
    await expect(clientFor(url).getRun('r1', { signal: ofCall })).rejects.toBe(reason);
    await expect(clientFor(url, ofCall).getRun('r1')).rejects.toBe(reason);
  });
});

describe('an error', () => {
  test('has the extension members of the problem and the request id', async () => {
    const url = await serve((_, response) => {
      response.writeHead(403, { 'x-request-id': 'order-7' });
      response.end(JSON.stringify({ code: 'forbidden', detail: 'no', need: 'submit' }));
    });
    await expect(clientFor(url).seal('r1')).rejects.toMatchObject({
      name: 'ApiError',
      code: 'forbidden',
      status: 403,
      requestId: 'order-7',
      problem: { need: 'submit' },
    });
  });
});

describe('rows', () => {
  /** Accepts parts; the first request for each fails. */
  async function serveParts() {
    const bodies = new Map<number, { body: Buffer; encoding: string | undefined }>();
    const failed = new Set<number>();
    const url = await serve(async (request, response) => {
      const part = Number(new URL(request.url ?? '', 'http://host').searchParams.get('part'));
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      if (!failed.has(part)) {
        failed.add(part);
        response.writeHead(503, { 'retry-after': '0' }).end();
        return;
      }
      bodies.set(part, { body: Buffer.concat(chunks), encoding: request.headers['content-encoding'] });
      response.end(
        JSON.stringify({
          part,
          accepted: 2,
          rejected: [{ line: 1, code: 'x', message: '' }],
          rejectedCount: 1,
        }),
      );
    });
    return { url, bodies };
  }

  test('are sent as parts, in the order of the source, and retried until accepted', async () => {
    const { url, bodies } = await serveParts();
    const rows = Array.from({ length: 8 }, (_, i) => ({ id: `${i}`, text: `text ${i}` }));
    const sent = await clientFor(url).sendRows('r1', rows, { maxRows: 3, firstPart: 5 });
    expect(sent).toMatchObject({ parts: 3, accepted: 6, rejectedCount: 3 });
    expect(sent.rejected.map(({ part }) => part)).toEqual([5, 6, 7]);
    const lines = [5, 6, 7].flatMap((part) => bodies.get(part)!.body.toString().trim().split('\n'));
    expect(lines.map((line) => JSON.parse(line))).toEqual(rows);
  });

  test('are compressed on request', async () => {
    const { url, bodies } = await serveParts();
    await clientFor(url).sendRows('r1', [{ text: 'one' }], { gzip: true });
    const { body, encoding } = bodies.get(0)!;
    expect([encoding, gunzipSync(body).toString()]).toEqual(['gzip', '{"text":"one"}\n']);
  });

  test('are read from their source only when there is room', async () => {
    const answers: (() => void)[] = [];
    const url = await serve((request, response) => {
      request.resume();
      answers.push(() => response.end(JSON.stringify({ accepted: 1, rejected: [], rejectedCount: 0 })));
    });
    let taken = 0;
    async function* source() {
      for (let i = 0; i < 20; i++) {
        taken += 1;
        yield { text: `${i}` };
      }
    }
    const sending = clientFor(url).sendRows('r1', source(), { maxRows: 1, uploads: 2 });
    await vi.waitUntil(() => answers.length === 2, { timeout: 120_000 });
    expect(taken).toBeLessThanOrEqual(4);
    while (answers.length < 20) {
      answers.at(-2)?.();
      answers.at(-1)?.();
      const before = answers.length;
      await vi.waitUntil(() => answers.length > before, { timeout: 120_000 });
    }
    for (const answer of answers) answer();
    expect((await sending).accepted).toBe(20);
  });
});

describe('waiting for a run', () => {
  const event = (name: string, run: object) => `event: ${name}\ndata: ${JSON.stringify(run)}\n\n`;

  test('continues after a broken connection and an unavailable producer', async () => {
    let requests = 0;
    const url = await serve((_, response) => {
      requests += 1;
      if (requests === 2) {
        response.writeHead(503, { 'retry-after': '0' }).end();
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (requests === 1) {
        response.write(`: still here\n\n${event('progress', { id: 'r1', state: 'open' })}`);
        setTimeout(() => response.destroy(), 20);
      } else response.end(event('end', { id: 'r1', state: 'completed' }));
    });
    const states: string[] = [];
    const run = await clientFor(url).waitFor('r1', { onProgress: ({ state }) => states.push(state) });
    expect(run.state).toBe('completed');
    expect(states).toEqual(['open', 'completed']);
  });

  test('fails if the run fails', async () => {
    const url = await serve((_, response) => {
      response.end(event('end', { state: 'failed', error: 'its files are damaged' }));
    });
    await expect(clientFor(url).waitFor('r1')).rejects.toThrow('run r1 is failed: its files are damaged');
  });

  test('fails when the producer is unavailable for longer than patienceMs', async () => {
    const url = await serve((_, response) => response.writeHead(503).end());
    await expect(clientFor(url).waitFor('r1', { patienceMs: 100 })).rejects.toThrow(PassingFault);
  });
});
