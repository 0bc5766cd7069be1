/** Completes a run: sends its rows and, at the same time, watches its progress. */

import { setTimeout as sleep } from 'node:timers/promises';
import { type EmbedmillClient, withRetry } from '@embedmill/client';
import { EmbedmillError, type RunInfo } from '@embedmill/contract';
import type { Part } from './encode-parts.ts';
import { sendParts } from './send-parts.ts';
import type { Tracker } from './tracker.ts';

/** Dependencies of {@link drive}. */
export interface DriveDeps {
  client: EmbedmillClient;
  run: RunInfo;
  parts: AsyncIterable<Part>;
  tracker: Tracker;
  /** Stops both; its reason is thrown. */
  signal: AbortSignal;
}

/** Pause between two requests for the state of the run, and the same when it is about to end. */
const POLL_MS = 250;
const LAST_POLL_MS = 50;

/**
 * Resolves with the completed run.
 * @throws {EmbedmillError} `run-ended` when the run was cancelled or failed, and the errors of {@link
 * sendParts}
 */
export async function drive(deps: DriveDeps): Promise<RunInfo> {
  const failing = new AbortController();
  const signal = AbortSignal.any([deps.signal, failing.signal]);
  // The first failure stops the other half, and is the one thrown.
  const guard = <Value>(work: Promise<Value>): Promise<Value> =>
    work.catch((error) => {
      failing.abort(error);
      throw error;
    });
  const halves = [guard(send(deps, signal)), guard(watch(deps, signal))] as const;
  const [sent, watched] = await Promise.allSettled(halves);
  signal.throwIfAborted();
  if (sent.status === 'rejected') throw sent.reason;
  if (watched.status === 'rejected') throw watched.reason;
  return watched.value;
}

async function send({ client, run, parts, tracker }: DriveDeps, signal: AbortSignal): Promise<void> {
  const retry = { signal, onWait: (reason: string | null) => tracker.setWait('send', reason) };
  const known = await withRetry(() => client.getParts(run.id), retry);
  const isOpen = run.state === 'open';
  const onRead = (rows: number) => tracker.addRead(rows);
  tracker.setTotal(await sendParts(parts, { client, retry, run: run.id, isOpen, known, onRead }));
  if (isOpen) await withRetry(() => client.seal(run.id), retry);
}

async function watch({ client, run, tracker }: DriveDeps, signal: AbortSignal): Promise<RunInfo> {
  const retry = { signal, onWait: (reason: string | null) => tracker.setWait('watch', reason) };
  for (;;) {
    const info = await withRetry(() => client.getRun(run.id), retry);
    tracker.setRun(info);
    if (info.state === 'completed') return info;
    if (info.state === 'cancelled' || info.state === 'failed') throw runEnded(info);
    const isEnding = info.etaSeconds !== null && info.etaSeconds < 1;
    await sleep(isEnding ? LAST_POLL_MS : POLL_MS, undefined, { signal });
  }
}

/** The error for a run that will never be completed. */
export function runEnded({ id, state, error }: RunInfo): EmbedmillError {
  const why = error === null ? '' : `: ${error}`;
  return new EmbedmillError('run-ended', `run ${id} is ${state}${why}. Add --overwrite to start over.`);
}
