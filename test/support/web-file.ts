/** A test web server with one file, whose habits and faults a test chooses. */

import { createServer, type IncomingMessage } from 'node:http';
import { onTestFinished } from 'vitest';

/** How the server answers. */
export interface WebFileOptions {
  /** Whether it answers requests for ranges. Default true. */
  ranges?: boolean;
  /** Headers that state the version. Default an entity tag. */
  version?: Record<string, string>;
  /** Path of the file. Default `/rows.jsonl`. */
  path?: string;
}

/** The file, and what happens to the next requests. */
export interface WebFile {
  url: string;
  bytes: Buffer;
  version: Record<string, string>;
  /** Range of each request, or `''`. */
  ranges: string[];
  /** Headers of the last request. */
  headers: IncomingMessage['headers'];
  /** Bytes after which each of the next connections breaks. */
  cuts: number[];
  /** Whether the end of the connection is the only end of the next answers, as in HTTP/1.0. */
  isOpenEnded: boolean;
  /** Statuses of the next answers, instead of the file. */
  statuses: { status: number; headers?: Record<string, string> }[];
}

/** Starts a server that ends with the test. */
export async function startWebFile(
  bytes: Buffer,
  { ranges = true, version = { etag: '"1"' }, path = '/rows.jsonl' }: WebFileOptions = {},
): Promise<WebFile> {
  const file: WebFile = {
    url: '',
    bytes,
    version,
    ranges: [],
    headers: {},
    cuts: [],
    isOpenEnded: false,
    statuses: [],
  };
  const server = createServer((req, res) => {
    const { range = '', 'if-range': condition } = req.headers;
    file.ranges.push(range);
    file.headers = req.headers;
    const instead = file.statuses.shift();
    if (file.isOpenEnded) {
      res.socket?.end(Buffer.concat([Buffer.from('HTTP/1.0 200 OK\r\n\r\n'), file.bytes]));
      return;
    }
    if (instead !== undefined) {
      res.writeHead(instead.status, instead.headers).end();
      return;
    }
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range) ?? [];
    const isCurrent = condition === undefined || Object.values(file.version).includes(String(condition));
    const size = file.bytes.length;
    let part = file.bytes;
    if (!ranges || from === undefined || !isCurrent) {
      res.writeHead(200, { ...file.version, ...(ranges ? { 'content-length': size } : {}) });
    } else if (Number(from) >= size) {
      res.writeHead(416, { 'content-range': `bytes */${size}` }).end();
      return;
    } else {
      const end = to ? Math.min(size, Number(to) + 1) : size;
      part = file.bytes.subarray(Number(from), end);
      const contentRange = `bytes ${from}-${end - 1}/${size}`;
      res.writeHead(206, { ...file.version, 'content-range': contentRange, 'content-length': part.length });
    }
    const cut = file.cuts.shift();
    if (cut === undefined) res.end(part);
    else res.write(part.subarray(0, cut), () => res.destroy());
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  file.url = `http://127.0.0.1:${address.port}${path}`;
  return file;
}
