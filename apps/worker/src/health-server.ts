/** The worker's own small HTTP server: /healthz, /readyz and /metrics. */

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the server answers with. */
export interface HealthServerDeps {
  isReady: () => Promise<boolean>;
  metrics: () => Promise<{ contentType: string; body: string }>;
}

interface Answer {
  status: number;
  contentType: string;
  body: string;
}

/** Answers GET and HEAD; everything else is 404. */
export class HealthServer {
  readonly #server: Server;

  constructor({ isReady, metrics }: HealthServerDeps) {
    const routes: Record<string, () => Promise<Answer>> = {
      '/healthz': async () => plain(200, 'ok'),
      '/readyz': async () => ((await isReady()) ? plain(200, 'ready') : plain(503, 'not ready')),
      '/metrics': async () => ({ status: 200, ...(await metrics()) }),
    };
    this.#server = createServer(async (request, response) => {
      const isRead = request.method === 'GET' || request.method === 'HEAD';
      const route = isRead ? routes[request.url?.split('?')[0] ?? ''] : undefined;
      const answer = await (route ?? notFound)().catch(() => plain(500, 'error'));
      response.writeHead(answer.status, { 'content-type': answer.contentType });
      response.end(request.method === 'HEAD' ? undefined : answer.body);
    });
  }

  /** Listens and returns the base URL. @throws when the port is taken */
  async start(host: string, port: number): Promise<string> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    const { port: bound } = this.#server.address() as AddressInfo;
    return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

async function notFound(): Promise<Answer> {
  return plain(404, 'not found');
}

function plain(status: number, body: string): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${body}\n` };
}
