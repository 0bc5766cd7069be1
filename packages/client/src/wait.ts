/** Follows a run to its end over server-sent events (HTML standard, 9.2), and connects again when they break off. */

import type { RunInfo } from '@embedmill/contract';
import { ClientError, PassingFault } from './errors.ts';
import type { CallOptions, Http } from './http.ts';
import { streamLines } from './lines.ts';
import { pause, withRetry } from './retry.ts';

/** How to wait. */
export interface WaitOptions extends CallOptions {
  /** Told how far the run is, at most twice a second. */
  onProgress?: (run: RunInfo) => void;
  /** Told why nothing is heard, and `null` when the producer is back. */
  onWait?: (reason: string | null) => void;
  /** How long the producer may be away at a time. Default 10 minutes. */
  patienceMs?: number;
}

const MINUTE = 60_000;
const PATIENCE_MS = 10 * MINUTE;

/** A proxy that ends every connection at once must not be asked without a pause. */
const RECONNECT_MS = 250;

/** The producer says something every 15 s; a connection that is silent for longer is dead, though nobody said so. */
const SILENCE_MS = MINUTE;

/**
 * Resolves when the run is completed.
 * @throws {ClientError} `run-not-completed` when it was cancelled or failed, and as every call
 */
export async function waitForRun(http: Http, id: string, options: WaitOptions = {}): Promise<RunInfo> {
  const { signal, onWait, onProgress, patienceMs = PATIENCE_MS } = options;
  let last: RunInfo | undefined;
  while (last === undefined || isAtWork(last)) {
    const connected = withRetry(() => connect(http, id, signal), { signal, onWait, patienceMs });
    for await (const run of followUntilBroken(await connected)) {
      last = run;
      onProgress?.(run);
    }
    signal?.throwIfAborted();
    if (last === undefined || isAtWork(last)) await pause(RECONNECT_MS, signal);
  }
  if (last.state === 'completed') return last;
  const why = last.error === null ? '' : `: ${last.error}`;
  throw new ClientError('run-not-completed', `run ${id} is ${last.state}${why}`);
}

function isAtWork({ state }: RunInfo): boolean {
  return state === 'open' || state === 'sealed';
}

async function connect(
  http: Http,
  id: string,
  signal: AbortSignal | undefined,
): Promise<AsyncGenerator<RunInfo>> {
  const silence = new AbortController();
  const chunks = await http.open(`/v1/runs/${encodeURIComponent(id)}/events`, {
    signal: signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]),
    headers: { accept: 'text/event-stream' },
  });
  return readRuns(streamLines(watched(chunks, silence)));
}

/** Aborts when nothing comes for too long. */
async function* watched(
  chunks: AsyncIterable<Uint8Array>,
  silence: AbortController,
): AsyncGenerator<Uint8Array> {
  const fault = new PassingFault(`the producer was silent for ${SILENCE_MS / 1000} s`, null);
  const arm = () => setTimeout(() => silence.abort(fault), SILENCE_MS);
  let timer = arm();
  try {
    for await (const chunk of chunks) {
      clearTimeout(timer);
      timer = arm();
      yield chunk;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Every event of the producer has one line of data: the run. */
async function* readRuns(lines: AsyncIterable<string>): AsyncGenerator<RunInfo> {
  for await (const line of lines) if (line.startsWith('data: ')) yield JSON.parse(line.slice(6)) as RunInfo;
}

/** Ends quietly when the connection does; whoever reads knows by the last run whether that was the end. */
async function* followUntilBroken(runs: AsyncGenerator<RunInfo>): AsyncGenerator<RunInfo> {
  try {
    yield* runs;
  } catch (error) {
    if (!(error instanceof PassingFault)) throw error;
  }
}
