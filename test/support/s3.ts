/** A test S3 server: s3rver behind a proxy that records requests, and can reject or interrupt them. */

import { mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import S3rver from 's3rver';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './folder.ts';

/** Decides what to do with a request, given its method and path. */
export type RequestFilter = (request: string, req: IncomingMessage) => 'pass' | 'busy' | 'cut';

/** A server with the bucket `vectors`. */
export interface TestS3 {
  /** Method and path with query of each request, without the bucket. */
  requests: string[];
  /** Environment of the command and of the AWS client. */
  environment: Record<string, string>;
  /** Applies to each request from now on. */
  filter: RequestFilter;
  /** Bytes after which the bodies of the next GET requests for objects break. */
  cutBodies: number[];
  /** Reads an object anonymously. @throws {Error} if it does not exist */
  read(key: string): Promise<Buffer>;
}

/** Starts a server that ends with the test. */
export async function startS3(): Promise<TestS3> {
  const directory = temporaryFolder();
  mkdirSync(join(directory, 'vectors'));
  const store = new S3rver({ directory, silent: true }).callback();
  const s3: TestS3 = {
    requests: [],
    environment: {},
    filter: () => 'pass',
    cutBodies: [],
    async read(key) {
      const answer = await fetch(`${s3.environment.AWS_ENDPOINT_URL}/vectors/${key}`);
      if (!answer.ok) throw new Error(`${key}: ${answer.status}`);
      return Buffer.from(await answer.arrayBuffer());
    },
  };
  const server = createServer((req: IncomingMessage, res: ServerResponse) => {
    const request = `${req.method} ${req.url?.replace('/vectors/', '/')}`;
    s3.requests.push(request);
    const verdict = s3.filter(request, req);
    // s3rver cannot abort a multipart upload; nothing of it is visible anyway.
    if (/^DELETE .*uploadId=/.test(request)) res.writeHead(204).end();
    else if (verdict === 'pass') {
      const isObject = req.method === 'GET' && !/\?(.*&)?list-type=/.test(request);
      const cut = isObject ? s3.cutBodies.shift() : undefined;
      if (cut !== undefined) cutBody(res, cut);
      store(req, res);
    } else if (verdict === 'cut') req.once('data', () => req.destroy());
    else {
      req.resume();
      res.writeHead(503, { 'content-type': 'application/xml' });
      res.end('<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>');
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  s3.environment = {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${address.port}`,
    // The only credentials that s3rver accepts.
    AWS_ACCESS_KEY_ID: 'S3RVER',
    AWS_SECRET_ACCESS_KEY: 'S3RVER',
    AWS_MAX_ATTEMPTS: '2',
  };
  return s3;
}

/** Breaks the connection after this many bytes of the body. */
function cutBody(res: ServerResponse, bytes: number): void {
  let left = bytes;
  const write = res.write.bind(res) as (chunk: Uint8Array) => boolean;
  res.write = ((chunk: Uint8Array) => {
    if (left <= 0) return false;
    const part = chunk.subarray(0, left);
    left -= part.length;
    if (left > 0) return write(part);
    (res.write as unknown) = () => false;
    res.socket?.setNoDelay();
    const isWhole = write(part);
    setImmediate(() => res.destroy());
    return isWhole;
  }) as typeof res.write;
}
