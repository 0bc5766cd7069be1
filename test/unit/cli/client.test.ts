import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ProducerClient } from '../../../apps/cli/src/api/client.ts';
import { PassingFault } from '../../../apps/cli/src/api/errors.ts';
import { withPatience } from '../../../apps/cli/src/api/patience.ts';

/** A server that answers as the test says. */
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
  new ProducerClient({ url: () => url, signal });

describe('ProducerClient', () => {
  test('throws the code and the words of a problem', async () => {
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

  test('throws the status where somebody else answers', async () => {
    const url = await serve((_, response) => response.writeHead(403).end('<html>'));
    await expect(clientFor(url).getRun('r1')).rejects.toMatchObject({
      status: 403,
      message: `${url} answered 403 Forbidden`,
    });
  });

  test.each([429, 502, 503, 504])('takes %i for a fault that passes', async (status) => {
    const url = await serve((_, response) => response.writeHead(status, { 'retry-after': '7' }).end());
    const fault = await clientFor(url)
      .getRun('r1')
      .catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(PassingFault);
    expect(fault).toMatchObject({ retryAfterMs: 7000 });
  });

  test('takes a connection that is refused or broken off for one too', async () => {
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
    // Nobody listens on a port that was just given back.
    const gone = createServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address() as AddressInfo;
    gone.close();
    await once(gone, 'close');
    await expect(clientFor(`http://127.0.0.1:${port}`).getRun('r1')).rejects.toThrow(
      /no answer .*ECONNREFUSED/,
    );
  });

  test('follows the pages of the list', async () => {
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

describe('withPatience', () => {
  test('goes on when the fault has passed, and says what was waited for', async () => {
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
    expect(await withPatience(() => clientFor(url).getRun('r1'), patience)).toEqual({ id: 'r1' });
    expect(waits).toEqual(['Redis is away', 'Redis is away', null]);
  });

  test('does not repeat what will not change', async () => {
    let requests = 0;
    const url = await serve((_, response) => {
      requests += 1;
      response.writeHead(409).end();
    });
    const patience = { signal: new AbortController().signal, onWait: () => {} };
    await expect(withPatience(() => clientFor(url).seal('r1'), patience)).rejects.toMatchObject({
      status: 409,
    });
    expect(requests).toBe(1);
  });

  test('ends when it is interrupted, in a request as in a pause', async () => {
    const silent = await serve(() => {});
    const busy = await serve((_, response) => response.writeHead(503, { 'retry-after': '600' }).end());
    for (const url of [silent, busy]) {
      const interrupting = new AbortController();
      const reason = new Error('stop');
      const patience = { signal: interrupting.signal, onWait: () => interrupting.abort(reason) };
      const waiting = withPatience(() => clientFor(url, interrupting.signal).getRun('r1'), patience);
      if (url === silent) setTimeout(() => interrupting.abort(reason), 50);
      await expect(waiting).rejects.toBe(reason);
    }
  });
});
