/** Reads the vectors of a run part by part, in order and several at a time, while the run goes on. */

import { decodeVectorBlocks, type VectorBlock } from '@embedmill/contract';
import { ApiError, ClientError, PassingFault } from './errors.ts';
import type { CallOptions, Http } from './http.ts';
import { type RetryOptions, withRetry } from './retry.ts';

/** Time that the producer holds one request for a part. */
const WAIT_MS = 20_000;
/** A producer that is silent for this much longer, or between two chunks of bytes, is gone. */
const SILENCE_MS = 30_000;

/** Maximum parts that are requested at a time, and the maximum of their bytes. */
const MAX_AHEAD = 4;
const MAX_AHEAD_BYTES = 32 * 1024 * 1024;

/** The rows of one part with their vectors. */
export interface PartVectors {
  part: number;
  blocks: VectorBlock[];
}

/** Options of {@link readPart}. */
export interface ReadPartOptions extends CallOptions {
  /**
   * Blocks of the part that an earlier call received before its connection was cut. The call requests only the rows after them, and
   * adds what it receives, also if it fails. Default: none
   */
  received?: VectorBlock[] | undefined;
}

/**
 * The vectors of one part; waits until its rows are done.
 * @throws {ClientError} `wrong-results` if the response is not whole, `older-producer` if the producer does not serve parts;
 *   the errors of every call
 */
export async function readPart(
  http: Http,
  id: string,
  part: number,
  { signal, received: blocks = [] }: ReadPartOptions = {},
): Promise<VectorBlock[]> {
  const fromRow = blocks.reduce((sum, { ids }) => sum + ids.length, 0);
  const from = fromRow === 0 ? '' : `&fromRow=${fromRow}`;
  const path = `/v1/runs/${encodeURIComponent(id)}/parts/${part}/results?waitMs=${WAIT_MS}${from}`;
  for (;;) {
    const silence = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const allow = (ms: number) => {
      clearTimeout(timer);
      const fault = new PassingFault(`the producer was silent for ${ms / 1000} s`, null);
      timer = setTimeout(() => silence.abort(fault), ms);
    };
    allow(WAIT_MS + SILENCE_MS);
    try {
      const combined = signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]);
      const response = await http.request('GET', path, { signal: combined });
      if (response.status === 204) continue;
      const bytes = observed(http.read(response, combined), () => allow(SILENCE_MS));
      for await (const block of decodeVectorBlocks(bytes, wrongResults)) blocks.push(block);
      return blocks;
    } catch (error) {
      if (error instanceof ApiError && error.code === 'not-found') throw olderProducer(error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

function olderProducer(cause: ApiError): ClientError {
  return new ClientError(
    'older-producer',
    'the producer is older than this client: it does not serve the vectors of a run part by part; update the producer',
    { cause },
  );
}

/**
 * The vectors of these parts in their order, each as soon as its rows are done. Several parts are requested at a
 * time, up to 32 MB; a part whose download is cut is requested again from the row where it was cut.
 * @param parts part numbers in row order; may be known only later
 */
export async function* followParts(
  parts: Iterable<number> | AsyncIterable<number>,
  read: (part: number, options: ReadPartOptions) => Promise<VectorBlock[]>,
  options: RetryOptions = {},
): AsyncGenerator<PartVectors> {
  const ended = new AbortController();
  const signal =
    options.signal === undefined ? ended.signal : AbortSignal.any([options.signal, ended.signal]);
  const request = (part: number): Promise<PartVectors> => {
    const received: VectorBlock[] = [];
    const attempt = async () => ({ part, blocks: await read(part, { signal, received }) });
    return awaitedLater(withRetry(attempt, { ...options, signal }));
  };
  const source = Symbol.asyncIterator in parts ? parts[Symbol.asyncIterator]() : parts[Symbol.iterator]();
  const ahead: Promise<PartVectors>[] = [];
  let maxAhead = 1;
  let isOver = false;
  const advance = () => awaitedLater(Promise.resolve(source.next()));
  let next = advance();
  try {
    while (!isOver || ahead.length > 0) {
      while (!isOver && ahead.length < maxAhead) {
        // The next part may be known only after the first one is here.
        const first = ahead[0];
        const found = await (first === undefined ? next : Promise.race([next, first]));
        if ('part' in found) break;
        isOver = found.done === true;
        if (found.done === true) break;
        ahead.push(request(found.value));
        next = advance();
      }
      const arrived = await ahead.shift();
      if (arrived === undefined) continue;
      yield arrived;
      maxAhead = aheadOf(arrived);
    }
  } finally {
    ended.abort(new ClientError('stopped', 'the rest is not read'));
  }
}

/** Calls `onChunk` with every chunk: a slow connection is not a silent one. */
async function* observed(chunks: AsyncIterable<Uint8Array>, onChunk: () => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    onChunk();
    yield chunk;
  }
}

/** A failure is thrown when its turn comes; until then it must not count as an unhandled rejection. */
function awaitedLater<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => {});
  return promise;
}

/** Number of parts of this size that may be in memory. */
function aheadOf({ blocks }: PartVectors): number {
  const bytes = blocks.reduce((sum, { vectors }) => sum + vectors.byteLength, 0);
  return Math.max(1, Math.min(MAX_AHEAD, Math.floor(MAX_AHEAD_BYTES / Math.max(1, bytes))));
}

function wrongResults(problem: string): ClientError {
  return new ClientError('wrong-results', `the producer did not send the vectors of a part: ${problem}`);
}
