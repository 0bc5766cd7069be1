/** Analyses one completed run in a thread of its own: sends its vectors and texts, and receives what was found. */

import { Worker } from 'node:worker_threads';
import { type Run, readResults, readRowsSent, resultsShape } from '@embedmill/core/runs';
import type { AnalysisRequest, ComputedAnalysis, FromThread, ToThread } from './protocol.ts';

/** Heap of the thread, in megabytes: words by topic; vectors are outside of it. */
const HEAP_MB = 2048;

/** Options of {@link computeAnalysis}. */
export interface ComputeOptions extends Pick<AnalysisRequest, 'topics' | 'threshold'> {
  onProgress: (step: string, progress: number) => void;
  onTopics: (topics: number) => void;
  signal: AbortSignal;
}

/**
 * Computes the analysis of a run that the caller holds.
 * @throws the reason of the signal; {CorruptError} when a file of the run is damaged
 */
export async function computeAnalysis(run: Run, options: ComputeOptions): Promise<ComputedAnalysis> {
  const { signal, topics, threshold } = options;
  signal.throwIfAborted();
  const workerData: AnalysisRequest = { ...resultsShape(run), topics, threshold };
  const thread = new Worker(new URL('./analysis-thread.js', import.meta.url), {
    name: 'analysis',
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
  const conversation = new Conversation(thread, options);
  const stop = () => conversation.fail(signal.reason);
  signal.addEventListener('abort', stop);
  try {
    for await (const { from, vectors, present } of numbered(
      readResults(run),
      (rows) => rows.present.length,
    )) {
      // A copy: the rows of a batch are a view of the file.
      const copy = vectors.slice();
      await conversation.ask({ kind: 'vectors', from, vectors: copy, present }, [copy.buffer]);
    }
    await conversation.ask({ kind: 'all' });
    await conversation.foundTopics;
    for await (const { from, batch } of numbered(batchesOf(run), ({ batch }) => batch.length)) {
      await conversation.ask({ kind: 'texts', from, texts: batch.map(({ text }) => text) });
    }
    await conversation.ask({ kind: 'all' });
    return await conversation.result;
  } finally {
    signal.removeEventListener('abort', stop);
    await thread.terminate();
  }
}

async function* batchesOf(run: Run) {
  for await (const batch of readRowsSent(run)) yield { batch };
}

/** Adds the number of its first row to each batch. */
async function* numbered<Batch>(
  batches: AsyncIterable<Batch>,
  rowsOf: (batch: Batch) => number,
): AsyncGenerator<Batch & { from: number }> {
  let from = 0;
  for await (const batch of batches) {
    yield { ...batch, from };
    from += rowsOf(batch);
  }
}

/** The messages to and from the thread. Everything that waits for it fails with the thread. */
class Conversation {
  readonly result: Promise<ComputedAnalysis>;
  readonly foundTopics: Promise<void>;
  readonly #thread: Worker;
  readonly #failing = new AbortController();
  #onTaken = () => {};
  #onFailure: (reason: unknown) => void = () => {};

  constructor(thread: Worker, { onProgress, onTopics }: Pick<ComputeOptions, 'onProgress' | 'onTopics'>) {
    this.#thread = thread;
    const failed = new Promise<never>((_, reject) => {
      this.#failing.signal.addEventListener('abort', () => reject(this.#failing.signal.reason));
    });
    const arrival = <Kind extends FromThread['kind']>(kind: Kind) =>
      new Promise<Extract<FromThread, { kind: Kind }>>((resolve) => {
        thread.on('message', (message: FromThread) => {
          if (message.kind === kind) resolve(message as Extract<FromThread, { kind: Kind }>);
        });
      });
    this.result = Promise.race([arrival('done').then(({ result }) => result), failed]);
    this.foundTopics = Promise.race([arrival('topics').then(({ topics }) => onTopics(topics)), failed]);
    // Whoever asks next sees the reason.
    for (const promise of [this.result, this.foundTopics]) promise.catch(() => {});
    thread.on('message', (message: FromThread) => {
      if (message.kind === 'progress') onProgress(message.step, message.progress);
      else if (message.kind === 'taken') this.#onTaken();
    });
    thread.on('error', (error) => this.fail(error));
    thread.on('exit', (code) => this.fail(new Error(`the thread of the analysis exited with code ${code}`)));
  }

  /** Sends a message, and waits until the thread has used it. Calls must not overlap. */
  async ask(message: ToThread, transfer: ArrayBuffer[] = []): Promise<void> {
    const { signal } = this.#failing;
    signal.throwIfAborted();
    const taken = new Promise<void>((resolve, reject) => {
      this.#onTaken = resolve;
      this.#onFailure = reject;
    });
    this.#thread.postMessage(message, transfer);
    await taken;
  }

  fail(reason: unknown): void {
    this.#failing.abort(reason);
    this.#onFailure(this.#failing.signal.reason);
  }
}
