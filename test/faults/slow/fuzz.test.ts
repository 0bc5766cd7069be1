/**
 * Requests to all routes of the OpenAPI document over raw sockets, until 10,000 were refused: each refusal has the shape
 * of its API, good requests between them are served, and the producer does not grow. FUZZ_REQUESTS and FUZZ_SEED change
 * the number of refusals and the seed.
 */

import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { type BadRequest, badRequests, countRoutes, type RouteDocument } from '../../support/bad-requests.ts';
import { type RawResponse, shapeFault } from '../../support/error-shapes.ts';
import { temporaryFolder } from '../../support/folder.ts';
import {
  expectWhole,
  hashEngineVector,
  type ProducerProcess,
  sentRows,
  startProducerProcess,
  startWorkerProcess,
} from '../../support/mill.ts';
import { residentBytes } from '../../support/process.ts';
import { testRedis } from '../../support/redis.ts';

const REQUESTS = Number(process.env.FUZZ_REQUESTS ?? 10_000);
const SEED = Number(process.env.FUZZ_SEED ?? 1);
const AT_ONCE = 16;
/** Requests between two measurements of its memory. */
const MEMORY_REQUESTS = 1000;
/** Ten times what a quiet machine needs. */
const TIMEOUT_MS = 2_400_000;
const MEGABYTE = 1024 * 1024;
/** Growth that any use causes: compiled code, larger buffers, and the runs that the requests create. */
const GROWTH_MB = 150;
/** Runs and files that the requests may change. */
const TARGETS = 12;
/** Requests after which they are created again, because some were deleted. */
const TARGET_REQUESTS = 500;

/** Sends bytes; `null` if the server closed the connection without a response, or was silent for 20 s. */
function exchange(port: number, { bytes, isHttp }: BadRequest): Promise<RawResponse | null> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => {
      // A client that closes its side no longer waits for a response.
      if (isHttp) socket.write(bytes);
      else socket.end(bytes);
    });
    const settle = () => {
      socket.destroy();
      resolve(readResponse(Buffer.concat(chunks)));
    };
    socket.setTimeout(20_000, settle);
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      // Event streams have no end; a line 100 may precede their headers.
      if (chunks.length <= 2 && chunk.includes('text/event-stream')) settle();
    });
    socket.on('error', () => {});
    socket.once('close', settle);
  });
}

function readResponse(bytes: Buffer): RawResponse | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.split(':', 1)[0]!.toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const status = Number(first.split(' ')[1]);
  const rest = bytes.subarray(end + 4);
  if (status === 100) return readResponse(rest);
  return { status, headers, body: headers['transfer-encoding'] === 'chunked' ? unchunked(rest) : rest };
}

function unchunked(bytes: Buffer): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.byteLength; ) {
    const end = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.subarray(at, end).toString('latin1'), 16);
    if (end === -1 || !(size > 0)) break;
    chunks.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
  return Buffer.concat(chunks);
}

/** What is wrong with the response to a request; `null` if nothing is. */
function faultOf(request: BadRequest, response: RawResponse | null): string | null {
  if (response === null) return request.isHttp ? 'there was no response' : null;
  const { status, headers } = response;
  const isTemporary = status === 503 && headers['retry-after'] !== undefined;
  if (status >= 500 && !isTemporary)
    return `it was answered with ${status}: ${response.body.subarray(0, 300)}`;
  // /readyz has reasons instead of an error, and the parser of Node answers without a body.
  if (status < 400 || request.method === 'HEAD' || (!request.isHttp && response.body.byteLength === 0))
    return null;
  return shapeFault(request.target, response);
}

/** Creates what the requests may change. */
async function createTargets({ create, send, seal, call }: ProducerProcess) {
  const runs: string[] = [];
  const files: string[] = [];
  for (let i = 0; i < TARGETS; i++) {
    const run = await create();
    await send(run, 0, sentRows(5));
    if (i % 2 === 0) await seal(run);
    runs.push(run);
    const form = new FormData();
    form.append('purpose', 'batch');
    const line = {
      custom_id: 'a',
      method: 'POST',
      url: '/v1/embeddings',
      body: { model: 'all-minilm', input: 'a' },
    };
    form.append('file', new Blob([`${JSON.stringify(line)}\n`]), 'lines.jsonl');
    files.push(((await (await call('POST', '/v1/files', { body: form })).json()) as { id: string }).id);
  }
  const body = JSON.stringify({
    input_file_id: files[0],
    endpoint: '/v1/embeddings',
    completion_window: '24h',
  });
  const batch = (await (await call('POST', '/v1/batches', { body })).json()) as { id: string };
  return { runs, files, batches: [batch.id] };
}

/** A good request, whose answer must be right whatever else arrives. */
async function expectVector({ call }: ProducerProcess, text: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ text, encoding: 'base64' });
  const answer = (await (await call('POST', '/v1/embed', { headers, body })).json()) as {
    vectors: string[];
    dim: number;
  };
  expect(Buffer.from(answer.vectors[0]!, 'base64')).toEqual(hashEngineVector(text, answer.dim));
}

it(
  `${REQUESTS} bad requests get errors in the shape of their API, and good ones are served`,
  async () => {
    const redis = testRedis();
    const producer = await startProducerProcess(redis, temporaryFolder());
    await producer.ready();
    await startWorkerProcess(redis);
    const document = (await (await producer.call('GET', '/openapi.json')).json()) as RouteDocument;
    const ids = await createTargets(producer);
    const renewTargets = async () => {
      const { runs, files, batches } = await createTargets(producer);
      ids.runs.splice(0, TARGETS, ...runs);
      ids.files.splice(0, TARGETS, ...files);
      ids.batches.splice(0, 1, ...batches);
    };
    const good = await producer.create();
    await producer.send(good, 0, sentRows(50));
    const port = Number(new URL(producer.url).port);
    const requests = badRequests(document, { ids, seed: SEED });
    const statuses: Record<string, number> = {};
    const faults: string[] = [];
    const memory: number[] = [];
    let sent = 0;
    let refused = 0;
    const sendAll = async () => {
      while (refused < REQUESTS && faults.length < 20) {
        const number = sent++;
        const request = requests.next().value as BadRequest;
        const response = await exchange(port, request);
        if (response === null || response.status >= 400) refused += 1;
        statuses[response?.status ?? 'none'] = (statuses[response?.status ?? 'none'] ?? 0) + 1;
        const fault = faultOf(request, response);
        if (fault !== null)
          faults.push(
            `${number}: ${request.method} ${request.target.slice(0, 100)} (${request.tricks}): ${fault}`,
          );
        if (number % 100 === 0) await expectVector(producer, `good text ${number}`);
        if (number > 0 && number % TARGET_REQUESTS === 0) await renewTargets();
        if (number % MEMORY_REQUESTS === 0)
          memory.push(Math.round(residentBytes(producer.process.pid) / MEGABYTE));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, sendAll));
    console.log(
      JSON.stringify({
        requests: sent,
        refused,
        routes: countRoutes(document),
        seed: SEED,
        statuses,
        memoryMb: memory,
      }),
    );
    expect(faults).toEqual([]);
    // The first thousand requests compile code and fill pools.
    expect(
      residentBytes(producer.process.pid) / MEGABYTE - memory[Math.min(1, memory.length - 1)]!,
    ).toBeLessThan(GROWTH_MB);

    await producer.send(good, 1, sentRows(50, 50));
    await producer.seal(good);
    await expectWhole({ producer, run: good, rows: sentRows(100) });
    expect(producer.process.stdout).not.toContain('"msg":"a request failed"');
  },
  TIMEOUT_MS,
);
