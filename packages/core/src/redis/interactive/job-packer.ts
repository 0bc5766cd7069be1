/**
 * Packs parts of calls into jobs and enqueues them; owned by `PartExchange`.
 *
 * Parts never wait for other parts: they are enqueued at the end of the event loop turn in which they were
 * added, or once the previous jobs are in Redis. So the more calls there are, the more of them share a job.
 *
 * Decision: docs/decisions/0051.
 */

import { randomUUID } from 'node:crypto';
import type { RedisClock } from '../clock.ts';
import type { JobQueue } from '../queue/types.ts';
import type { OpenPart } from './call.ts';
import type { InteractiveJob } from './job.ts';
import { charsOf, MAX_CHARS, MAX_TEXTS } from './split-call.ts';

/** What a packer works with. */
export interface JobPackerDeps {
  queue: Pick<JobQueue<InteractiveJob>, 'enqueue' | 'remove'>;
  clock: RedisClock;
  /** Id of the producer whose channel gets the answers. */
  producer: string;
  /** Called when parts could not be enqueued. */
  onRejected: (parts: readonly OpenPart[], error: unknown) => void;
}

/** A job and how many of its parts are open. */
interface InFlightJob {
  job: InteractiveJob;
  open: number;
}

/** Packs up to 16 texts of the same model into one job. */
export class JobPacker {
  readonly #deps: JobPackerDeps;
  readonly #inFlightJobs = new Map<string, InFlightJob>();
  #waiting: OpenPart[] = [];
  #isSending = false;

  constructor(deps: JobPackerDeps) {
    this.#deps = deps;
  }

  /** Enqueues these parts as soon as possible. */
  add(parts: readonly OpenPart[]): void {
    this.#waiting.push(...parts);
    if (this.#isSending) return;
    this.#isSending = true;
    setImmediate(() => void this.#sendWaiting());
  }

  /** Records that a part is answered; its worker removes the job from the queue. */
  settle(part: OpenPart): void {
    this.#close(part);
  }

  /**
   * Withdraws a part: a job without any open part is removed from the queue, as there may be no worker to
   * take it.
   */
  withdraw(part: OpenPart): void {
    const inFlight = this.#close(part);
    if (inFlight?.open === 0) this.#deps.queue.remove(inFlight.job).catch(() => {});
  }

  async #sendWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      const parts = this.#waiting.filter((part) => part.call.open.has(part));
      this.#waiting = [];
      const jobs = this.#pack(parts);
      await this.#deps.queue.enqueue(jobs).catch((error) => this.#deps.onRejected(parts, error));
    }
    this.#isSending = false;
  }

  #pack(parts: readonly OpenPart[]): InteractiveJob[] {
    const { clock, producer } = this.#deps;
    const jobs: InteractiveJob[] = [];
    const unfilled = new Map<string, { inFlight: InFlightJob; texts: number; chars: number }>();
    for (const part of parts) {
      const { model, work, deadline } = part.call.request;
      const texts = part.texts.length;
      const chars = part.texts.reduce((sum, text) => sum + charsOf(text), 0);
      // A part whose worker crashed is alone in its job.
      const isSuspect = part.losses > 0;
      let last = isSuspect ? undefined : unfilled.get(model);
      if (last === undefined || last.texts + texts > MAX_TEXTS || last.chars + chars > MAX_CHARS) {
        const job = { id: randomUUID(), producer, model, enqueuedAt: clock.now(), parts: [] };
        jobs.push(job);
        last = { inFlight: { job, open: 0 }, texts: 0, chars: 0 };
        if (!isSuspect) unfilled.set(model, last);
      }
      const { fingerprint } = part.call;
      last.inFlight.job.parts.push({
        id: part.id,
        texts: part.texts,
        work,
        deadline,
        ...(fingerprint === undefined ? {} : { fingerprint }),
      });
      last.inFlight.open += 1;
      last.texts += texts;
      last.chars += chars;
      this.#inFlightJobs.set(part.id, last.inFlight);
    }
    return jobs;
  }

  #close({ id }: OpenPart): InFlightJob | undefined {
    const inFlight = this.#inFlightJobs.get(id);
    if (inFlight === undefined) return undefined;
    this.#inFlightJobs.delete(id);
    inFlight.open -= 1;
    return inFlight;
  }
}
