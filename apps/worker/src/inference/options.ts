/** Options of an inference pool with their defaults, and the events that it reports. */

import type { Precision } from '@embedmill/contract';

/** An event of the pool, for logs and metrics. */
export type InferenceEvent =
  /** A thread has opened its engine and takes work. */
  | { readonly kind: 'thread-ready'; readonly thread: number; readonly openMs: number }
  /**
   * A thread exited or was stopped because it was stuck; its pieces go to other threads, and it is replaced.
   */
  | { readonly kind: 'thread-died'; readonly thread: number; readonly error: Error }
  /** A replacement thread could not open its engine; the pool tries again. */
  | { readonly kind: 'thread-refused'; readonly thread: number; readonly error: Error }
  /** A row that crashed every thread that embedded it got the verdict `failed`. */
  | {
      readonly kind: 'row-isolated';
      /** Absent in the interactive lane. */
      readonly run?: string;
      readonly batch: number;
      readonly row: number;
      readonly reason: string;
    }
  /** No thread can be started any more: the pool rejects all further work. */
  | { readonly kind: 'gave-up'; readonly error: Error };

/** Options of `InferencePool`. */
export interface InferencePoolOptions {
  /**
   * Number of inference threads, at least 1. `defaultThreads()` of `@embedmill/core` matches the CPU quota.
   */
  threads: number;
  /**
   * Returns a model in a precision as plain data, which is copied to each thread. Called once for each: at `start` for
   * the first model and precision, else when the pool is to serve the model or at the first request. An error fails only
   * that request.
   * @param model name of another model than the first one
   */
  prepare: (precision: Precision, model?: string) => unknown;
  /** Precision that every thread opens at `start`. Default `int8`. */
  precision?: Precision;
  /** Module of the engine, see `EngineModule`. Default: the engine of `@embedmill/embed`. */
  engineUrl?: URL;
  /** Time after which a thread that finishes no text is stopped and replaced. Default 1 minute. */
  stuckAfterMs?: number;
  /**
   * Time for a stopping thread to finish its current text and exit before it is terminated. Default 5 s.
   * Termination is for endless loops: ONNX Runtime aborts the whole process if its thread is terminated
   * during a run.
   */
  terminateAfterMs?: number;
  /** Delay before a dead thread is replaced; doubles with each consecutive death. Default 100 ms. */
  restartDelayMs?: number;
  /** Maximum delay before a replacement. Default 30 s. */
  maxRestartDelayMs?: number;
  /** Maximum consecutive failed starts, with no other thread alive, before the pool gives up. Default 5. */
  maxFailedStarts?: number;
  /**
   * Maximum JS heap of one thread in MB, without tensors and buffers; a thread that needs more exits. What the
   * model states as `heapMb` is added. Default 128.
   */
  maxHeapMb?: number;
  /** Called with each event; must not throw. Default: events are dropped. */
  onEvent?: (event: InferenceEvent) => void;
}

/** Options of a pool with all defaults filled in. */
export type FilledPoolOptions = Required<InferencePoolOptions>;

/** The defaults of `InferencePoolOptions`. */
export const DEFAULT_POOL_OPTIONS = {
  precision: 'int8',
  engineUrl: new URL('./embed-engine.js', import.meta.url),
  stuckAfterMs: 60_000,
  terminateAfterMs: 5_000,
  restartDelayMs: 100,
  maxRestartDelayMs: 30_000,
  maxFailedStarts: 5,
  maxHeapMb: 128,
  onEvent: () => {},
} satisfies Omit<FilledPoolOptions, 'threads' | 'prepare'>;
