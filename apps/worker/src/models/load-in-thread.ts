/** Loads a model in a thread of its own; `ModelLoader` calls it. */

import { Worker } from 'node:worker_threads';
import { deferred } from '@embedmill/core/process';
import { reviveError } from '../inference/thread-errors.ts';
import type { LoadedModel, LoadMessage, LoadRequest } from './load-protocol.ts';

/** Options of `loadInThread`. */
export interface LoadOptions {
  /** Called with what is being done, as a part of a sentence. */
  onProgress: (doing: string) => void;
  /** Ends a pull; a model that is being prepared is finished. */
  signal: AbortSignal;
}

/**
 * Pulls a model if it is not installed and has a source, prepares it and checks it.
 * @throws the error of the step that failed
 */
export async function loadInThread(
  request: LoadRequest,
  { onProgress, signal }: LoadOptions,
): Promise<LoadedModel> {
  signal.throwIfAborted();
  const thread = new Worker(new URL('./load-thread.js', import.meta.url), {
    name: 'model-loader',
    workerData: request,
  });
  const result = deferred<LoadedModel>();
  thread.on('message', (message: LoadMessage) => {
    if (message.kind === 'progress') onProgress(message.doing);
    else if (message.kind === 'failed') result.reject(reviveError(message.error));
    else {
      const { kind: _, ...loaded } = message;
      result.resolve(loaded);
    }
  });
  thread.on('error', (error) => result.reject(error));
  thread.on('exit', (code) => result.reject(new Error(`the loading thread exited with code ${code}`)));
  const stop = () => thread.postMessage('stop');
  signal.addEventListener('abort', stop);
  try {
    return await result.promise;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
