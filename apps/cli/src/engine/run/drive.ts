/** Completes a run: sends its rows and, at the same time, watches its progress. */

import { setTimeout as sleep } from 'node:timers/promises';
import { withRetry } from '@embedmill/client';
import { EmbedmillError, type RunInfo, unknownShare } from '@embedmill/contract';
import type { Part } from './encode-parts.ts';
import { explainWaits } from './explain-wait.ts';
import type { RunClient } from './run-client.ts';
import { sendParts } from './send-parts.ts';
import { together } from './together.ts';
import type { Tracker } from './tracker.ts';

/** Dependencies of {@link drive}. */
export interface DriveDeps {
  client: RunClient;
  run: RunInfo;
  parts: AsyncIterable<Part>;
  tracker: Tracker;
  /** Share of unknown tokens above which the run stops, 0 to 1; `null` for none. */
  maxUnknown: number | null;
  /** Receives each state of the run; what it throws ends the command. */
  onState?: (run: RunInfo) => void;
  /** Aborted when the last row has been downloaded: the run ends now. Default: never. */
  ending?: AbortSignal;
  /** Stops both; its reason is thrown. */
  signal: AbortSignal;
}

/** Pause between two requests for the state of the run, and the same when it is about to end. */
const POLL_MS = 250;
const LAST_POLL_MS = 20;

/**
 * Resolves with the completed run.
 * @throws {EmbedmillError} `run-ended` when the run was cancelled or failed, `too-many-unknown-tokens`, `unavailable` when it waits
 * for what time cannot bring, and the errors of {@link sendParts}
 */
export async function drive(deps: DriveDeps): Promise<RunInfo> {
  const upload = async (signal: AbortSignal) => {
    await send(deps, signal);
    return null;
  };
  const follow = (signal: AbortSignal) => watchAndExplain(deps, signal);
  const [, run] = await together<[null, RunInfo]>([upload, follow], deps.signal);
  return run;
}

async function send({ client, run, parts, tracker }: DriveDeps, signal: AbortSignal): Promise<void> {
  const retry = { signal, onWait: (reason: string | null) => tracker.setWait('send', reason) };
  const known = await withRetry(() => client.getParts(run.id), retry);
  const isOpen = run.state === 'open';
  const onRead = (rows: number) => tracker.addRead(rows);
  tracker.setTotal(await sendParts(parts, { client, retry, run: run.id, isOpen, known, onRead }));
  if (isOpen) await withRetry(() => client.seal(run.id), retry);
}

/** Watches the run and says why it waits, also while the producer does not answer. */
async function watchAndExplain(deps: DriveDeps, signal: AbortSignal): Promise<RunInfo> {
  const { client, run, tracker } = deps;
  tracker.setRun(run);
  const ended = new AbortController();
  const until = AbortSignal.any([signal, ended.signal]);
  try {
    return await Promise.race([watch(deps, signal), explainWaits({ client, tracker, run: run.id }, until)]);
  } finally {
    ended.abort();
  }
}

async function watch(
  { client, run, tracker, maxUnknown, onState, ending = new AbortController().signal }: DriveDeps,
  signal: AbortSignal,
): Promise<RunInfo> {
  const retry = { signal, onWait: (reason: string | null) => tracker.setWait('watch', reason) };
  const waking = AbortSignal.any([signal, ending]);
  for (;;) {
    const info = await withRetry(() => client.getRun(run.id), retry);
    tracker.setRun(info);
    onState?.(info);
    assertKnownTokens(info, maxUnknown);
    if (info.state === 'completed') return info;
    if (info.state === 'cancelled' || info.state === 'failed') throw runEnded(info);
    const isEnding = ending.aborted || (info.etaSeconds !== null && info.etaSeconds < 1);
    if (isEnding) await sleep(LAST_POLL_MS, undefined, { signal });
    else await sleep(POLL_MS, undefined, { signal: waking }).catch(() => {});
    signal.throwIfAborted();
  }
}

/** Rows after which the share of unknown tokens of a running run is judged. */
const MIN_JUDGED_ROWS = 100;

/** Throws if a run has more unknown tokens than allowed. What is done stays, for another attempt. */
function assertKnownTokens(run: RunInfo, maxUnknown: number | null): void {
  if (maxUnknown === null || unknownShare(run) <= maxUnknown) return;
  if (run.rows.done < MIN_JUDGED_ROWS && run.state !== 'completed') return;
  const { model } = run.options;
  const percent = (share: number) => `${Math.round(1000 * share) / 10} %`;
  const signal = run.languageSignal ?? `${percent(unknownShare(run))} of the tokens are unknown to ${model}`;
  throw new EmbedmillError(
    'too-many-unknown-tokens',
    `${signal}. Stopped after ${run.rows.done} rows because of --max-unknown ${Math.round(1000 * maxUnknown) / 10}; ` +
      'raise it or leave it out to go on',
  );
}

/** The error for a run that will never be completed. */
export function runEnded({ id, state, error }: RunInfo): EmbedmillError {
  const why = error === null ? '' : `: ${error}`;
  return new EmbedmillError('run-ended', `run ${id} is ${state}${why}. Add --overwrite to start over.`);
}
