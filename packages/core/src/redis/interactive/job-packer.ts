/**
 * Sends parts of calls to the queue, those that come together in one job; the lane hands them over.
 *
 * Nothing waits for company: parts leave at the end of the turn of the event loop that brought them, or when the job
 * before them is in Redis. So the more calls there are, the more of them share a job.
 */

import { randomUUID } from 'node:crypto';
import type { RedisClock } from '../clock.ts';
import type { JobQueue } from '../queue/types.ts';
import type { OpenPart } from './call.ts';
import type { InteractiveJob } from './job.ts';
import { charsOf, MAX_CHARS, MAX_TEXTS } from './split-call.ts';

/** What departures work with. */
export interface JobPackerDeps {
  queue: Pick<JobQueue<InteractiveJob>, 'enqueue' | 'remove'>;
  clock: RedisClock;
  /** Who gets the answers. */
  producer: string;
  /** Told when parts did not get into the queue. */
  onRefused: (parts: readonly OpenPart[], error: unknown) => void;
}

/** A job under way and how many of its parts still wait for an answer. */
interface InFlightJob {
  job: InteractiveJob;
  open: number;
}

/** The way out of a lane. */
export class JobPacker {
  readonly #deps: JobPackerDeps;
  readonly #inFlightJobs = new Map<string, InFlightJob>();
  #waiting: OpenPart[] = [];
  #isDeparting = false;

  constructor(parts: JobPackerDeps) {
    this.#deps = parts;
  }

  /** Sends these parts as soon as may be. */
  add(parts: readonly OpenPart[]): void {
    this.#waiting.push(...parts);
    if (this.#isDeparting) return;
    this.#isDeparting = true;
    setImmediate(() => void this.#depart());
  }

  /** The part is answered: its job is on its way out of the queue by itself. */
  forget(part: OpenPart): void {
    this.#leave(part);
  }

  /** Nobody waits for the part: a job of such parts alone is taken out of the queue, where perhaps no worker looks. */
  withdraw(part: OpenPart): void {
    const inFlight = this.#leave(part);
    if (inFlight?.open === 0) this.#deps.queue.remove(inFlight.job).catch(() => {});
  }

  async #depart(): Promise<void> {
    while (this.#waiting.length > 0) {
      const parts = this.#waiting.filter((part) => part.call.open.has(part));
      this.#waiting = [];
      const jobs = this.#pack(parts);
      await this.#deps.queue.enqueue(jobs).catch((error) => this.#deps.onRefused(parts, error));
    }
    this.#isDeparting = false;
  }

  #pack(parts: readonly OpenPart[]): InteractiveJob[] {
    const { clock, producer } = this.#deps;
    const jobs: InteractiveJob[] = [];
    const unfilled = new Map<string, { inFlight: InFlightJob; texts: number; chars: number }>();
    for (const part of parts) {
      const { model, work, deadline } = part.call.terms;
      const texts = part.texts.length;
      const chars = part.texts.reduce((sum, text) => sum + charsOf(text), 0);
      // A part that a worker ended over travels alone.
      const isSuspect = part.losses > 0;
      let last = isSuspect ? undefined : unfilled.get(model);
      if (last === undefined || last.texts + texts > MAX_TEXTS || last.chars + chars > MAX_CHARS) {
        const job = { id: randomUUID(), producer, model, enqueuedAt: clock.now(), parts: [] };
        jobs.push(job);
        last = { inFlight: { job, open: 0 }, texts: 0, chars: 0 };
        if (!isSuspect) unfilled.set(model, last);
      }
      last.inFlight.job.parts.push({ id: part.id, texts: part.texts, work, deadline });
      last.inFlight.open += 1;
      last.texts += texts;
      last.chars += chars;
      this.#inFlightJobs.set(part.id, last.inFlight);
    }
    return jobs;
  }

  #leave({ id }: OpenPart): InFlightJob | undefined {
    const inFlight = this.#inFlightJobs.get(id);
    if (inFlight === undefined) return undefined;
    this.#inFlightJobs.delete(id);
    inFlight.open -= 1;
    return inFlight;
  }
}
