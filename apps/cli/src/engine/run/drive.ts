/** Brings one run to its end: sends its rows and watches it, both at once; `embed` and `up --sample` call it. */

import { setTimeout as sleep } from 'node:timers/promises';
import { type EmbedmillClient, withRetry } from '@embedmill/client';
import { EmbedmillError, type RunInfo } from '@embedmill/contract';
import type { Part } from './cut-parts.ts';
import { feed } from './feed.ts';
import type { Tracker } from './tracker.ts';

/** What driving a run needs. */
export interface DriveDeps {
  client: EmbedmillClient;
  run: RunInfo;
  parts: AsyncIterable<Part>;
  tracker: Tracker;
  /** Ends everything; its reason is thrown. */
  signal: AbortSignal;
}

const POLL_MS = 250;

/**
 * Resolves with the completed run.
 * @throws {EmbedmillError} `run-ended` when somebody cancelled the run or it failed, and whatever `feed` throws
 */
export async function drive(drive: DriveDeps): Promise<RunInfo> {
  const failing = new AbortController();
  const signal = AbortSignal.any([drive.signal, failing.signal]);
  // The first failure ends the other half too, and is the one that is thrown.
  const guard = <Value>(work: Promise<Value>): Promise<Value> =>
    work.catch((error) => {
      failing.abort(error);
      throw error;
    });
  const halves = [guard(feedAll(drive, signal)), guard(watch(drive, signal))] as const;
  const [fed, watched] = await Promise.allSettled(halves);
  signal.throwIfAborted();
  if (fed.status === 'rejected') throw fed.reason;
  if (watched.status === 'rejected') throw watched.reason;
  return watched.value;
}

async function feedAll({ client, run, parts, tracker }: DriveDeps, signal: AbortSignal): Promise<void> {
  const patience = { signal, onWait: (reason: string | null) => tracker.waits('feed', reason) };
  const known = await withRetry(() => client.getParts(run.id), patience);
  const isOpen = run.state === 'open';
  const onRead = (rows: number) => tracker.read(rows);
  tracker.ended(await feed(parts, { client, patience, run: run.id, isOpen, known, onRead }));
  if (isOpen) await withRetry(() => client.seal(run.id), patience);
}

async function watch({ client, run, tracker }: DriveDeps, signal: AbortSignal): Promise<RunInfo> {
  const patience = { signal, onWait: (reason: string | null) => tracker.waits('watch', reason) };
  for (;;) {
    const info = await withRetry(() => client.getRun(run.id), patience);
    tracker.saw(info);
    if (info.state === 'completed') return info;
    if (info.state === 'cancelled' || info.state === 'failed') throw runEnded(info);
    await sleep(POLL_MS, undefined, { signal });
  }
}

/** For a run that will never be completed. */
export function runEnded({ id, state, error }: RunInfo): EmbedmillError {
  const why = error === null ? '' : `: ${error}`;
  return new EmbedmillError('run-ended', `run ${id} is ${state}${why}. Add --overwrite to start anew.`);
}
