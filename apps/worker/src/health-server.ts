/** HTTP server of a worker with the routes /healthz, /readyz and /metrics. */

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Dependencies of `HealthServer`. */
export interface HealthServerDeps {
  isReady: () => Promise<boolean>;
  metrics: () => Promise<{ contentType: string; body: string }>;
}

interface Reply {
  status: number;
  contentType: string;
  body: string;
}

/** Answers GET and HEAD on three paths; everything else is 404. */
export class HealthServer {
  readonly #server: Server;

  constructor({ isReady, metrics }: HealthServerDeps) {
    const routes: Record<string, () => Promise<Reply>> = {
      '/healthz': async () => plain(200, 'ok'),
      '/readyz': async () => ((await isReady()) ? plain(200, 'ready') : plain(503, 'not ready')),
      '/metrics': async () => ({ status: 200, ...(await metrics()) }),
    };
    this.#server = createServer(async (request, response) => {
      const isRead = request.method === 'GET' || request.method === 'HEAD';
      const route = isRead ? routes[request.url?.split('?')[0] ?? ''] : undefined;
      const reply = await (route ?? notFound)().catch(() => plain(500, 'error'));
      response.writeHead(reply.status, { 'content-type': reply.contentType });
      response.end(request.method === 'HEAD' ? undefined : reply.body);
    });
  }

  /**
   * Starts listening and returns the base URL.
   * @throws if the port is in use
   */
  async start(host: string, port: number): Promise<string> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    const { port: bound } = this.#server.address() as AddressInfo;
    return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
  }

  /** Closes the port and all connections. */
  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

async function notFound(): Promise<Reply> {
  return plain(404, 'not found');
}

function plain(status: number, body: string): Reply {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${body}\n` };
}
