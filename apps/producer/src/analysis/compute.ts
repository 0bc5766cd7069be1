/** Analyses one completed run in a thread of its own: sends its vectors and texts, and receives what was found. */

import { Worker } from 'node:worker_threads';
import { deferred } from '@embedmill/core/process';
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
  readonly #thread: Worker;
  readonly #result = deferred<ComputedAnalysis>();
  readonly #topics = deferred();
  #taken = deferred();

  constructor(thread: Worker, { onProgress, onTopics }: Pick<ComputeOptions, 'onProgress' | 'onTopics'>) {
    this.#thread = thread;
    // Whoever asks next sees the reason.
    for (const { promise } of [this.#result, this.#topics, this.#taken]) promise.catch(() => {});
    thread.on('message', (message: FromThread) => {
      if (message.kind === 'progress') onProgress(message.step, message.progress);
      else if (message.kind === 'taken') this.#taken.resolve();
      else if (message.kind === 'done') this.#result.resolve(message.result);
      else {
        onTopics(message.topics);
        this.#topics.resolve();
      }
    });
    thread.on('error', (error) => this.fail(error));
    thread.on('exit', (code) => this.fail(new Error(`the thread of the analysis exited with code ${code}`)));
  }

  get result(): Promise<ComputedAnalysis> {
    return this.#result.promise;
  }

  /** Resolves when the thread waits for the texts. */
  get foundTopics(): Promise<void> {
    return this.#topics.promise;
  }

  /** Sends a message, and waits until the thread has used it. Calls must not overlap. */
  async ask(message: ToThread, transfer: ArrayBuffer[] = []): Promise<void> {
    this.#taken = deferred();
    this.#thread.postMessage(message, transfer);
    // The result is there before it is asked for only if the thread has failed.
    await Promise.race([this.#taken.promise, this.#result.promise]);
  }

  fail(reason: unknown): void {
    for (const each of [this.#result, this.#topics, this.#taken]) each.reject(reason);
  }
}
