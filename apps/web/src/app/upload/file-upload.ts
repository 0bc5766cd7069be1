/**
 * Uploads a file as the parts of a run, several at a time, and seals the run after the last part.
 *
 * States: `sending` ⇄ `paused`; `sending` ⇄ `waiting` (the producer is unreachable or overloaded; the upload
 * retries); `sending` → `sent`, or → `failed` with an error that a retry does not solve. An aborted part is
 * sent again unchanged, because the producer recognizes parts that it has.
 */

import { type PartReceipt, UPLOADS_AT_A_TIME } from '@embedmill/contract';
import { requestJson } from '../api/client.ts';
import { FetchError } from '../api/errors.ts';
import { openFile, type UploadFileType } from './file-type.ts';
import { splitFile } from './split-file.ts';

/** The file, its fields, and the open run that receives its rows. */
export interface UploadTask {
  run: string;
  file: File;
  type: UploadFileType;
  textField: string;
  /** `null`: rows are identified by number. */
  idField: string | null;
}

/** Progress of an upload. */
export interface UploadState {
  state: 'sending' | 'paused' | 'waiting' | 'sent' | 'failed';
  /** Bytes of the file that the producer has stored. */
  sentBytes: number;
  totalBytes: number;
  /** Rows in the run. */
  accepted: number;
  /** Lines that are not rows. */
  rejected: number;
  /** The last error in `waiting` and `failed`; otherwise `null`. */
  error: unknown;
}

/** What a receipt counts. */
type PartCounts = Pick<PartReceipt, 'accepted' | 'rejectedCount'>;

const RETRY_MS = 2000;

/** Whether the same request may succeed later. */
function isTransient(error: unknown): boolean {
  return (
    error instanceof FetchError &&
    (error.status === 0 || error.status === 429 || error.status >= 502 || error.code === 'part-in-progress')
  );
}

/** The upload of one file. */
export class FileUpload {
  readonly #task: UploadTask;
  readonly #onChange: (state: UploadState) => void;
  readonly #stopping = new AbortController();
  #state: UploadState;
  /** The requests in progress. */
  readonly #attempts = new Set<AbortController>();
  /** Continue what waits for the end of a pause. */
  readonly #resumers = new Set<() => void>();

  /** @param onChange called with the whole state after every change */
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

  /** The current state. */
  get state(): UploadState {
    return this.#state;
  }

  /** Uploads the file; resolves when the state is `sent` or `failed`, or after `stop`. */
  async start(): Promise<void> {
    const { run, file, type } = this.#task;
    try {
      const known = await this.#retryUntil(() =>
        requestJson<{ parts: ({ part: number } & PartCounts)[] }>(`v1/runs/${run}/parts`),
      );
      const receipts = new Map(known.parts.map((receipt) => [receipt.part, receipt]));
      const inFlight = new Set<Promise<void>>();
      let readBytes = 0;
      let cutBytes = 0;
      const stream = openFile(file, type, (bytes) => {
        readBytes += bytes;
      });
      for await (const { part, bytes } of splitFile(stream, type)) {
        const fileBytes = readBytes - cutBytes;
        cutBytes = readBytes;
        if (inFlight.size >= UPLOADS_AT_A_TIME) await Promise.race(inFlight);
        const sending = this.#sendUnlessKnown(part, bytes, receipts.get(part))
          .then((receipt) =>
            this.#set({
              sentBytes: this.#state.sentBytes + fileBytes,
              accepted: this.#state.accepted + receipt.accepted,
              rejected: this.#state.rejected + receipt.rejectedCount,
            }),
          )
          .finally(() => inFlight.delete(sending));
        // A failure is thrown by the race or at the end; until then it must not count as an unhandled rejection.
        sending.catch(() => {});
        inFlight.add(sending);
      }
      await Promise.all(inFlight);
      await this.#retryUntil(() => requestJson(`v1/runs/${run}/seal`, { method: 'POST' }));
      this.#set({ state: 'sent', sentBytes: file.size });
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#set({ state: 'failed', error });
      // Ends the other parts.
      this.stop();
    }
  }

  /** Aborts the parts in progress; stored parts are kept. */
  pause(): void {
    this.#set({ state: 'paused' });
    this.#abortAttempts();
  }

  /** Continues after `pause`. */
  resume(): void {
    this.#set({ state: 'sending' });
    this.#continue();
  }

  /** Aborts the upload permanently. */
  stop(): void {
    this.#stopping.abort();
    this.#abortAttempts();
    this.#continue();
  }

  #abortAttempts(): void {
    for (const attempt of this.#attempts) attempt.abort();
  }

  #continue(): void {
    for (const resume of this.#resumers) resume();
    this.#resumers.clear();
  }

  async #sendUnlessKnown(
    part: number,
    bytes: Uint8Array<ArrayBuffer>,
    known: PartCounts | undefined,
  ): Promise<PartCounts> {
    return known ?? (await this.#retryUntil((signal) => this.#send(part, bytes, signal)));
  }

  #send(part: number, bytes: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<PartCounts> {
    const { run, type, textField, idField } = this.#task;
    const query = new URLSearchParams({ part: String(part), textField, badRows: 'keep', ...type.query });
    if (idField !== null) query.set('idField', idField);
    return requestJson<PartCounts>(`v1/runs/${run}/rows?${query}`, {
      method: 'POST',
      body: new Blob([bytes]),
      contentType: type.contentType,
      signal,
    });
  }

  /** Repeats a step until it succeeds or fails permanently; does nothing while paused. */
  async #retryUntil<Value>(step: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
    for (;;) {
      await this.#untilResumed();
      const attempt = new AbortController();
      this.#attempts.add(attempt);
      try {
        return await step(attempt.signal);
      } catch (error) {
        this.#stopping.signal.throwIfAborted();
        if (this.#isPaused) continue;
        if (!isTransient(error)) throw error;
        this.#set({ state: 'waiting', error });
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        if (!this.#isPaused) this.#set({ state: 'sending', error: null });
      } finally {
        this.#attempts.delete(attempt);
      }
    }
  }

  get #isPaused(): boolean {
    return this.#state.state === 'paused';
  }

  async #untilResumed(): Promise<void> {
    if (this.#isPaused) {
      await new Promise<void>((resolve) => this.#resumers.add(resolve));
    }
    this.#stopping.signal.throwIfAborted();
  }

  #set(change: Partial<UploadState>): void {
    this.#state = { ...this.#state, ...change };
    if (!this.#stopping.signal.aborted) this.#onChange(this.#state);
  }
}
