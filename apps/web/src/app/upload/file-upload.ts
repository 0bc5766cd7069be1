/**
 * Sends a file as the parts of a run, and seals the run after the last one.
 *
 * States: `sending` ⇄ `paused`; `sending` ⇄ `waiting` (the producer is away or behind; it goes on by itself);
 * `sending` → `sent`, or → `failed` with what only a person can mend. A part that was broken off is sent
 * again as it is: the producer knows what it has.
 */

import { ask } from '../api/client.ts';
import { ApiError } from '../api/errors.ts';
import { cutParts } from './cut-parts.ts';
import { kindOf, openFile } from './file-kind.ts';

/** What to send, and where. */
export interface UploadTask {
  run: string;
  file: File;
  textField: string;
  idField: string | null;
}

/** How far it is. */
export interface UploadState {
  state: 'sending' | 'paused' | 'waiting' | 'sent' | 'failed';
  /** Bytes of the file that are at the producer. */
  sentBytes: number;
  totalBytes: number;
  accepted: number;
  rejected: number;
  error: unknown;
}

const WAIT_MS = 2000;

/** What passes by itself. */
function mayPass(error: unknown): boolean {
  return (
    error instanceof ApiError &&
    (error.status === 0 || error.status === 429 || error.status >= 502 || error.code === 'part-in-progress')
  );
}

export class FileUpload {
  readonly #task: UploadTask;
  readonly #onChange: (state: UploadState) => void;
  readonly #stopping = new AbortController();
  #state: UploadState;
  #attempt = new AbortController();
  #resume: () => void = () => {};

  /** @param onChange told the whole state whenever something changed */
  constructor(task: UploadTask, onChange: (state: UploadState) => void) {
    this.#task = task;
    this.#onChange = onChange;
    this.#state = {
      state: 'sending',
      sentBytes: 0,
      totalBytes: task.file.size,
      accepted: 0,
      rejected: 0,
      error: null,
    };
  }

  get state(): UploadState {
    return this.#state;
  }

  /** Sends everything; resolves when it is sent, failed or stopped. */
  async start(): Promise<void> {
    const { run, file } = this.#task;
    const kind = kindOf(file.name);
    try {
      const known = await this.#retryUntil(() =>
        ask<{ parts: { part: number; accepted: number; rejectedCount: number }[] }>(`v1/runs/${run}/parts`),
      );
      const receipts = new Map(known.parts.map((receipt) => [receipt.part, receipt]));
      let readBytes = 0;
      const stream = openFile(file, kind, (bytes) => {
        readBytes += bytes;
      });
      for await (const { part, bytes } of cutParts(stream, kind)) {
        const receipt =
          receipts.get(part) ?? (await this.#retryUntil(() => this.#send(part, bytes, kind.contentType)));
        this.#set({
          state: this.#state.state === 'paused' ? 'paused' : 'sending',
          sentBytes: readBytes,
          accepted: this.#state.accepted + receipt.accepted,
          rejected: this.#state.rejected + receipt.rejectedCount,
        });
      }
      await this.#retryUntil(() => ask(`v1/runs/${run}/seal`, { method: 'POST' }));
      this.#set({ state: 'sent', sentBytes: file.size });
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#set({ state: 'failed', error });
    }
  }

  /** Breaks the part off that is on its way; what is at the producer stays there. */
  pause(): void {
    this.#set({ state: 'paused' });
    this.#attempt.abort();
  }

  resume(): void {
    this.#set({ state: 'sending' });
    this.#resume();
  }

  /** Ends it for good. */
  stop(): void {
    this.#stopping.abort();
    this.#attempt.abort();
    this.#resume();
  }

  #send(part: number, bytes: Uint8Array<ArrayBuffer>, contentType: string) {
    const { run, textField, idField } = this.#task;
    const query = new URLSearchParams({ part: String(part), textField });
    if (idField !== null) query.set('idField', idField);
    return ask<{ accepted: number; rejectedCount: number }>(`v1/runs/${run}/rows?${query}`, {
      method: 'POST',
      body: new Blob([bytes]),
      contentType,
      signal: this.#attempt.signal,
    });
  }

  /** Does a step until it works, waits out what passes by itself, and holds while it is paused. */
  async #retryUntil<Answer>(step: () => Promise<Answer>): Promise<Answer> {
    for (;;) {
      await this.#whileNotPaused();
      this.#attempt = new AbortController();
      try {
        return await step();
      } catch (error) {
        this.#stopping.signal.throwIfAborted();
        if (this.#isPaused) continue;
        if (!mayPass(error)) throw error;
        this.#set({ state: 'waiting', error });
        await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
        if (!this.#isPaused) this.#set({ state: 'sending', error: null });
      }
    }
  }

  get #isPaused(): boolean {
    return this.#state.state === 'paused';
  }

  async #whileNotPaused(): Promise<void> {
    if (this.#isPaused) {
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
      });
    }
    this.#stopping.signal.throwIfAborted();
  }

  #set(change: Partial<UploadState>): void {
    this.#state = { ...this.#state, ...change };
    if (!this.#stopping.signal.aborted) this.#onChange(this.#state);
  }
}
