/** Polls GET /v1/scale of a producer and scales the workers accordingly. */

import { setTimeout as sleep } from 'node:timers/promises';
import { type EmbedmillClient, withRetry } from '@embedmill/client';
import { asError, type Scale } from '@embedmill/contract';
import { formatCount, formatDuration, formatNoun, formatRate } from '../../shell/terminal/numbers.ts';
import { type CoolDown, decide, type ScaleDecision, type ScaleLimits } from './decide.ts';
import type { Replicas } from './types.ts';

/** Dependencies of {@link follow}. */
export interface FollowDeps {
  client: Pick<EmbedmillClient, 'getScale'>;
  service: Replicas;
  limits: ScaleLimits;
  /** Pause between two checks. */
  everyMs: number;
  /** Receives a line when something changes, not at every check. */
  onNote: (line: string) => void;
  signal: AbortSignal;
}

/**
 * Checks and scales until the signal is aborted. If the producer does not respond or Compose fails, the
 * number of workers is unchanged until the next check.
 * @throws the signal's reason
 */
export async function follow(deps: FollowDeps): Promise<never> {
  const { everyMs, onNote, signal } = deps;
  let coolDown: CoolDown | null = null;
  let lastTopic = '';
  const note = (topic: string, line: string) => {
    if (topic !== lastTopic) onNote(line);
    lastTopic = topic;
  };
  for (;;) {
    try {
      coolDown = await check(deps, coolDown, note);
    } catch (error) {
      signal.throwIfAborted();
      const reason = asError(error).message;
      note(reason, `${reason}; no change, retrying`);
    }
    await sleep(everyMs, undefined, { signal }).catch(() => {});
    signal.throwIfAborted();
  }
}

/** Checks once and scales if needed; returns the cool-down for the next check. */
async function check(
  { client, service, limits, signal }: FollowDeps,
  coolDown: CoolDown | null,
  note: (topic: string, line: string) => void,
): Promise<CoolDown | null> {
  const scale = await withRetry(() => client.getScale(), {
    signal,
    onWait: (reason) => {
      if (reason !== null) note(reason, `${reason}; the number of workers is unchanged`);
    },
  });
  const running = await service.running();
  const observed = { atMs: performance.now(), wanted: scale.desiredWorkers, running };
  const { decision, coolDown: next } = decide(observed, limits, coolDown);
  const topic = decision.kind === 'keep' ? `keep ${running}` : `${decision.kind} ${decision.to}`;
  note(topic, `${describeScale(scale)}; ${describeDecision(decision, running)}`);
  if (decision.kind !== 'out' && decision.kind !== 'in') return next;
  const startedAt = performance.now();
  await service.scale(decision.to);
  note(
    `keep ${decision.to}`,
    `${formatNoun(decision.to, 'worker')} after ${formatDuration((performance.now() - startedAt) / 1000)}`,
  );
  return next;
}

/** The backlog, and the number of workers that the producer wants. */
export function describeScale({ backlogRows, rowsPerSecond, workers, desiredWorkers }: Scale): string {
  const fleet = `${formatRate(rowsPerSecond)} rows/s by ${formatNoun(workers, 'worker')}`;
  return `backlog ${formatNoun(backlogRows, 'row')}, ${fleet}, ${formatCount(desiredWorkers)} wanted`;
}

function describeDecision(decision: ScaleDecision, running: number): string {
  switch (decision.kind) {
    case 'keep':
      return `keeping ${formatNoun(running, 'worker')}`;
    case 'out':
      return `scaling out from ${running} to ${decision.to}`;
    case 'in':
      return `scaling in from ${running} to ${decision.to}`;
    case 'wait':
      return `scaling in from ${running} to ${decision.to} in ${formatDuration(decision.leftMs / 1000)} unless more are wanted`;
  }
}
