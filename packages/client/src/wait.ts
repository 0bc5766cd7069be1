/**
 * Follows a run to its end over server-sent events (HTML standard, 9.2); reconnects when the stream breaks.
 */

import type { RunInfo } from '@embedmill/contract';
import { ClientError, PassingFault } from './errors.ts';
import type { CallOptions, Http } from './http.ts';
import { streamLines } from './lines.ts';
import { pause, withRetry } from './retry.ts';

/** Options of {@link waitForRun}. */
export interface WaitOptions extends CallOptions {
  /** Receives the state of the run, at most twice a second. */
  onProgress?: (run: RunInfo) => void;
  /** Receives the reason while there is no connection, and `null` when it is restored. */
  onWait?: (reason: string | null) => void;
  /** Maximum time without a connection, in milliseconds. Default 10 minutes. */
  patienceMs?: number;
}

const MINUTE = 60_000;
const PATIENCE_MS = 10 * MINUTE;

/** Pause before a reconnect, so that a proxy that closes every connection is not flooded with requests. */
const RECONNECT_MS = 250;

/** The producer sends at least a comment every 15 s; a connection that is silent for this long is dead. */
const SILENCE_MS = MINUTE;

/**
 * Resolves with the run when it is completed.
 * @throws {ClientError} `run-not-completed` if the run was cancelled or failed; otherwise the errors of every
 * call
 */
export async function waitForRun(http: Http, id: string, options: WaitOptions = {}): Promise<RunInfo> {
  const { signal, onWait, onProgress, patienceMs = PATIENCE_MS } = options;
  let last: RunInfo | undefined;
  while (last === undefined || isActive(last)) {
    const connected = withRetry(() => connect(http, id, signal), { signal, onWait, patienceMs });
    for await (const run of followUntilBroken(await connected)) {
      last = run;
      onProgress?.(run);
    }
    signal?.throwIfAborted();
    if (last === undefined || isActive(last)) await pause(RECONNECT_MS, signal);
  }
  if (last.state === 'completed') return last;
  const why = last.error === null ? '' : `: ${last.error}`;
  throw new ClientError('run-not-completed', `run ${id} is ${last.state}${why}`);
}

function isActive({ state }: RunInfo): boolean {
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

/** Aborts the request if no bytes arrive for `SILENCE_MS`. */
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

/** Parses the events; each has one line of data, the run as JSON. */
async function* readRuns(lines: AsyncIterable<string>): AsyncGenerator<RunInfo> {
  for await (const line of lines) if (line.startsWith('data: ')) yield JSON.parse(line.slice(6)) as RunInfo;
}

/**
 * Ends without an error when the connection does; the state of the last run shows whether that was the end.
 */
async function* followUntilBroken(runs: AsyncGenerator<RunInfo>): AsyncGenerator<RunInfo> {
  try {
    yield* runs;
  } catch (error) {
    if (!(error instanceof PassingFault)) throw error;
  }
}
