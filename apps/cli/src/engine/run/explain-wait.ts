/** Finds out why a run does not progress, shows it, and ends the command if time cannot end the wait. */

import { setTimeout as sleep } from 'node:timers/promises';
import { PassingFault } from '@embedmill/client';
import { EmbedmillError, type Health, type HealthProblem } from '@embedmill/contract';
import { doesNotAnswer } from './does-not-answer.ts';
import { idsIn, type RunClient } from './run-client.ts';
import type { Tracker } from './tracker.ts';

/** A wait of this length is explained by the progress display. */
const EXPLAINED_MS = 3_000;
/** A wait of this length is also worth a line of its own, even with --quiet: starting a worker takes less. */
const ANNOUNCED_MS = 15_000;
/** Pause between two questions about the health, and the maximum wait for its answer. */
const ASK_MS = 1_000;
const ANSWER_MS = 5_000;

/** Dependencies of {@link explainWaits}. */
export interface ExplainWaitsDeps {
  client: Pick<RunClient, 'getHealth' | 'url'>;
  tracker: Tracker;
  /** Id of the run. */
  run: string;
}

type Reason = Pick<HealthProblem, 'code' | 'sentence' | 'remedy' | 'mayPass'>;

/**
 * Asks the producer for its health while a run stands still, until the signal is aborted, whose reason is then thrown.
 * @throws {EmbedmillError} `unavailable` after 15 s of a problem that lasts until somebody changes something
 */
export async function explainWaits(deps: ExplainWaitsDeps, signal: AbortSignal): Promise<never> {
  const { tracker } = deps;
  const announced = new Set<string>();
  for (;;) {
    await sleep(ASK_MS, undefined, { signal });
    const reason = tracker.idleMs < EXPLAINED_MS ? null : await reasonOf(deps, signal);
    signal.throwIfAborted();
    tracker.setReason(reason?.sentence ?? null);
    if (reason === null || tracker.idleMs < ANNOUNCED_MS) continue;
    if (!reason.mayPass) throw new EmbedmillError('unavailable', `${reason.sentence} ${reason.remedy}`);
    if (announced.has(reason.code)) continue;
    announced.add(reason.code);
    tracker.announce(`Waiting: ${reason.sentence} ${reason.remedy}`);
  }
}

/** Why the run stands still; `null` if nothing is known. */
async function reasonOf({ client, run }: ExplainWaitsDeps, signal: AbortSignal): Promise<Reason | null> {
  const tooLate = AbortSignal.timeout(ANSWER_MS);
  try {
    return problemOf(run, await client.getHealth({ signal: AbortSignal.any([signal, tooLate]) }));
  } catch (error) {
    if (error instanceof PassingFault) return gone(client.url, error);
    if (tooLate.aborted) return gone(client.url, new Error(`no response within ${ANSWER_MS / 1000} s`));
    // A producer of an earlier version has no health to ask for.
    return null;
  }
}

function gone(server: string, error: Error): Reason {
  return {
    code: 'producer',
    sentence: doesNotAnswer(server, error),
    remedy: 'The run continues when this producer is back, with its data folder.',
    mayPass: true,
  };
}

/** The problem that keeps this run from progressing; `null` if none is known. */
function problemOf(runId: string, { problems }: Health): HealthProblem | null {
  const own = idsIn(runId);
  const isOwn = ({ code, severity, run }: HealthProblem) =>
    severity !== 'advice' && code !== 'disk-space' && (run === null || own.includes(run));
  return problems.find(isOwn) ?? null;
}
