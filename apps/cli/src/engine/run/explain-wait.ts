/** Finds out why a run does not progress, shows it, and ends the command if time cannot end the wait. */

import { EmbedmillError, type Health, type HealthProblem, type RunInfo } from '@embedmill/contract';
import { idsIn, type RunClient } from './run-client.ts';
import type { Tracker } from './tracker.ts';

/** A wait of this length is explained by the progress display. */
const EXPLAINED_MS = 3_000;
/** A wait of this length is also worth a line of its own, even with --quiet: starting a worker takes less. */
const ANNOUNCED_MS = 15_000;
/** Pause between two questions about the health. */
const ASK_MS = 1_000;

/** Dependencies of a {@link WaitExplainer}. */
export interface WaitExplainerDeps {
  client: Pick<RunClient, 'getHealth'>;
  tracker: Tracker;
  signal: AbortSignal;
}

/** Asks the producer for its health while a run stands still. */
export class WaitExplainer {
  readonly #deps: WaitExplainerDeps;
  readonly #announced = new Set<string>();
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(deps: WaitExplainerDeps) {
    this.#deps = deps;
  }

  /**
   * Call it with each state of the run.
   * @throws {EmbedmillError} `unavailable` after 15 s of a problem that lasts until somebody changes something
   */
  async update(run: RunInfo): Promise<void> {
    const { client, tracker, signal } = this.#deps;
    const { idleMs } = tracker;
    if (idleMs < EXPLAINED_MS) {
      tracker.setReason(null);
      return;
    }
    if (performance.now() - this.#askedAt < ASK_MS) return;
    this.#askedAt = performance.now();
    // A producer that does not answer is what the next call about the run reports.
    const health = await client.getHealth({ signal }).catch(() => null);
    const problem = health === null ? null : problemOf(run, health);
    tracker.setReason(problem?.sentence ?? null);
    if (problem === null || idleMs < ANNOUNCED_MS) return;
    if (!problem.mayPass) {
      throw new EmbedmillError('unavailable', `${problem.sentence} ${problem.remedy}`);
    }
    if (this.#announced.has(problem.code)) return;
    this.#announced.add(problem.code);
    tracker.announce(`Waiting: ${problem.sentence} ${problem.remedy}`);
  }
}

/** The problem that keeps this run from progressing; `null` if none is known. */
function problemOf(run: RunInfo, { problems }: Health): HealthProblem | null {
  const isOwn = ({ code, severity, sentence }: HealthProblem) =>
    // A run that waits for its model does not concern the others.
    severity !== 'advice' &&
    code !== 'disk-space' &&
    (code !== 'no-model' || idsIn(run.id).some((id) => sentence.includes(id)));
  return problems.find(isOwn) ?? null;
}
