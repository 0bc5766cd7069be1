/** A stub of the model hub on loopback: lists, ranges, redirects to another host, and faults on request. */

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** What a request for a file does instead of sending it; used up in order. */
export type HubFault =
  | { kind: 'status'; status: number; headers?: Record<string, string> }
  /** Closes the connection after `afterBytes`. */
  | { kind: 'cut'; afterBytes: number }
  /** Sends `afterBytes` and then nothing more. */
  | { kind: 'stall'; afterBytes: number }
  | { kind: 'wrong-bytes' }
  /** Ignores the range. */
  | { kind: 'whole' }
  | { kind: 'redirect'; location: string };

/** A repository of the stub. */
export interface HubRepository {
  /** Content by path; a number is a file of that many bytes which is listed only. */
  files: Record<string, Buffer | string | number>;
  /** Default: derived from the files. */
  commit?: string;
  /** Token that requests need. */
  token?: string;
}

/** A request as the stub received it. */
export interface HubRequestLog {
  host: 'hub' | 'storage';
  path: string;
  range: string | undefined;
  ifRange: string | undefined;
  authorization: string | undefined;
}

/** A running stub. */
export interface HubStub {
  endpoint: string;
  requests: HubRequestLog[];
  /** Faults by path of the file, or `list` for the list of files. */
  faults: Record<string, HubFault[]>;
  commitOf(repository: string): string;
  stop(): Promise<void>;
}

/** Files above this size are in LFS: they have a SHA-256 and come from the other host. */
const LFS_BYTES = 1000;

const hash = (name: string, ...content: (string | Buffer)[]) => {
  const digest = createHash(name);
  for (const each of content) digest.update(each);
  return digest.digest('hex');
};

/** Starts a stub; it stops after the test. */
export async function startHub(repositories: Record<string, HubRepository>): Promise<HubStub> {
  const requests: HubRequestLog[] = [];
  const faults: Record<string, HubFault[]> = {};
  const contentOf = (repository: string, path: string): Buffer => {
    const content = repositories[repository]?.files[path];
    return Buffer.from(typeof content === 'number' || content === undefined ? '' : content);
  };
  const commitOf = (name: string) =>
    repositories[name]?.commit ?? hash('sha1', name, ...Object.keys(repositories[name]?.files ?? {}).sort());
  const note = (host: HubRequestLog['host'], { url = '', headers }: IncomingMessage) =>
    requests.push({
      host,
      path: url,
      range: headers.range,
      ifRange: headers['if-range'] as string | undefined,
      authorization: headers.authorization,
    });

  const sendFile = (request: IncomingMessage, response: ServerResponse, path: string, content: Buffer) => {
    const fault = faults[path]?.shift();
    if (fault?.kind === 'status') return void response.writeHead(fault.status, fault.headers).end('{}');
    if (fault?.kind === 'redirect') return void response.writeHead(302, { location: fault.location }).end();
    const etag = `"${hash('sha256', content)}"`;
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? -1);
    const isSame = request.headers['if-range'] === undefined || request.headers['if-range'] === etag;
    const isPart = from >= 0 && isSame && fault?.kind !== 'whole';
    if (isPart && from >= content.length) return void response.writeHead(416).end();
    const body = Buffer.from(isPart ? content.subarray(from) : content);
    if (fault?.kind === 'wrong-bytes') body[0] = (body[0] ?? 0) ^ 1;
    response.writeHead(isPart ? 206 : 200, {
      etag,
      'content-length': body.length,
      ...(isPart && { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }),
    });
    if (fault?.kind === 'cut') response.write(body.subarray(0, fault.afterBytes), () => response.destroy());
    else if (fault?.kind === 'stall') response.write(body.subarray(0, fault.afterBytes));
    else response.end(body);
  };

  const storage = createServer((request, response) => {
    note('storage', request);
    const [, repository = '', path = ''] = /^\/([^?]+)\?(.+)$/.exec(request.url ?? '') ?? [];
    sendFile(
      request,
      response,
      decodeURIComponent(path),
      contentOf(decodeURIComponent(repository), decodeURIComponent(path)),
    );
  });
  const storageUrl = await listen(storage);

  const hub = createServer((request, response) => {
    note('hub', request);
    const url = new URL(request.url ?? '/', 'http://hub');
    const list = /^\/api\/models\/([^/]+\/[^/]+)\/revision\/([^/]+)$/.exec(url.pathname);
    const file = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(url.pathname);
    const name = list?.[1] ?? file?.[1] ?? '';
    const repository = repositories[name];
    const isAllowed =
      repository !== undefined &&
      (repository.token === undefined || request.headers.authorization === `Bearer ${repository.token}`);
    if (!isAllowed) return void response.writeHead(401, { 'x-error-code': 'RepoNotFound' }).end('{}');
    const commit = commitOf(name);
    const revision = decodeURIComponent(list?.[2] ?? file?.[2] ?? '');
    if (!['main', commit].includes(revision)) {
      return void response.writeHead(404, { 'x-error-code': 'RevisionNotFound' }).end('{}');
    }
    if (list !== null) {
      const fault = faults.list?.shift();
      if (fault?.kind === 'status') return void response.writeHead(fault.status, fault.headers).end('<html>');
      const siblings = Object.entries(repository.files).map(([rfilename, given]) => {
        const content = contentOf(name, rfilename);
        const size = typeof given === 'number' ? given : content.length;
        return {
          rfilename,
          size,
          blobId: hash('sha1', `blob ${size}\0`, content),
          ...(size > LFS_BYTES && { lfs: { sha256: hash('sha256', content), size } }),
        };
      });
      return void response.end(JSON.stringify({ id: name, sha: commit, siblings }));
    }
    const path = decodeURIComponent(file![3]!);
    const content = contentOf(name, path);
    if (content.length <= LFS_BYTES) return sendFile(request, response, path, content);
    const location = `${storageUrl}/${encodeURIComponent(name)}?${encodeURIComponent(path)}`;
    response.writeHead(302, { location, 'x-repo-commit': commit }).end();
  });
  const endpoint = await listen(hub);
  const stop = async () => {
    for (const server of [hub, storage]) {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    }
  };
  onTestFinished(stop);
  return { endpoint, requests, faults, commitOf, stop };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
