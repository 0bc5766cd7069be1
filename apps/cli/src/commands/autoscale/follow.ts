/** Follows GET /v1/scale of a producer and sets the workers accordingly, until it is told to stop; `embedmill autoscale` runs it. */

import { setTimeout as sleep } from 'node:timers/promises';
import { type EmbedmillClient, withRetry } from '@embedmill/client';
import { asError, type Scale } from '@embedmill/contract';
import { formatCount, formatDuration, formatNoun, formatRate } from '../../shell/terminal/numbers.ts';
import { type Calm, type Decision, decide, type ScaleLimits } from './decide.ts';
import type { Replicas } from './types.ts';

/** What it works with. */
export interface FollowDeps {
  client: Pick<EmbedmillClient, 'getScale'>;
  service: Replicas;
  limits: ScaleLimits;
  /** Pause between two looks. */
  everyMs: number;
  /** Receives one line when something changes, not one per look. */
  onNote: (line: string) => void;
  signal: AbortSignal;
}

/**
 * Looks and acts until the signal is aborted. A producer that does not answer, and a Compose that fails, change nothing:
 * the fleet stays as it is, and the next look comes.
 * @throws the signal's reason
 */
export async function follow(parts: FollowDeps): Promise<never> {
  const { everyMs, onNote, signal } = parts;
  let calm: Calm | null = null;
  let lastTopic = '';
  const note = (topic: string, line: string) => {
    if (topic !== lastTopic) onNote(line);
    lastTopic = topic;
  };
  for (;;) {
    try {
      calm = await look(parts, calm, note);
    } catch (error) {
      signal.throwIfAborted();
      const reason = asError(error).message;
      note(reason, `${reason}; nothing is changed, trying again`);
    }
    await sleep(everyMs, undefined, { signal }).catch(() => {});
    signal.throwIfAborted();
  }
}

/** One look and what follows; returns the calm for the next one. */
async function look(
  { client, service, limits, signal }: FollowDeps,
  calm: Calm | null,
  note: (topic: string, line: string) => void,
): Promise<Calm | null> {
  const scale = await withRetry(() => client.getScale(), {
    signal,
    onWait: (reason) => {
      if (reason !== null) note(reason, `${reason}; the workers stay as they are`);
    },
  });
  const running = await service.running();
  const seen = { atMs: performance.now(), wanted: scale.desiredWorkers, running };
  const { decision, calm: nextCalm } = decide(seen, limits, calm);
  const topic = decision.kind === 'keep' ? `keep ${running}` : `${decision.kind} ${decision.to}`;
  note(topic, `${describeScale(scale)}; ${describeDecision(decision, running)}`);
  if (decision.kind !== 'out' && decision.kind !== 'in') return nextCalm;
  const startedAt = performance.now();
  await service.scale(decision.to);
  note(
    `keep ${decision.to}`,
    `${formatNoun(decision.to, 'worker')} after ${formatDuration((performance.now() - startedAt) / 1000)}`,
  );
  return nextCalm;
}

/** The backlog and what the producer makes of it. */
export function describeScale({ backlogRows, rowsPerSecond, workers, desiredWorkers }: Scale): string {
  const backlog = `${formatNoun(backlogRows, 'row')} to do, ${formatRate(rowsPerSecond)} rows/s by ${formatNoun(workers, 'worker')}`;
  return `${backlog}, ${formatCount(desiredWorkers)} wanted`;
}

function describeDecision(decision: Decision, running: number): string {
  switch (decision.kind) {
    case 'keep':
      return `it stays at ${formatNoun(running, 'worker')}`;
    case 'out':
      return `scale out from ${running} to ${decision.to}`;
    case 'in':
      return `scale in from ${running} to ${decision.to}`;
    case 'wait':
      return `${running} run, to ${decision.to} in ${formatDuration(decision.leftMs / 1000)} unless more are wanted`;
  }
}
