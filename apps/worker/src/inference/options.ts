/** What a pool can be told, with every default in one object. */

import type { Precision } from '@embedmill/contract';

/** Something that happened in the pool; for logs and metrics. */
export type InferenceEvent =
  /** A thread has opened its engine and takes work. */
  | { readonly kind: 'thread-ready'; readonly thread: number; readonly openMs: number }
  /** A thread ended by itself or was ended for being stuck; what it held goes to others, and another takes its place. */
  | { readonly kind: 'thread-died'; readonly thread: number; readonly error: Error }
  /** A thread meant to replace one that died could not open its engine; the pool tries again. */
  | { readonly kind: 'thread-refused'; readonly thread: number; readonly error: Error }
  /** A row that ended every thread that tried it got the verdict `failed`. */
  | {
      readonly kind: 'row-isolated';
      /** Absent in the interactive lane. */
      readonly run?: string;
      readonly batch: number;
      readonly row: number;
      readonly reason: string;
    }
  /** No thread can be started any more: the pool refuses work from now on. */
  | { readonly kind: 'gave-up'; readonly error: Error };

/** Options of `InferencePool`. */
export interface InferencePoolOptions {
  /** Inference threads, at least 1. `defaultThreads()` of `@embedmill/core` fits the CPU quota. */
  threads: number;
  /**
   * The model of a precision as plain data; each thread gets a copy. Called once per precision: at `start` for the first one,
   * for the other one when a request asks for it. An error fails that request and is not remembered.
   */
  prepare: (precision: Precision) => unknown;
  /** Precision that every thread opens at `start`. Default `int8`. */
  precision?: Precision;
  /** Module with the engine (see `EngineModule`). Default: ours, on `@embedmill/embed`. */
  engineUrl?: URL;
  /** A thread that holds work and finishes no text for so long is stuck: it is ended and replaced. Default 1 minute. */
  stuckAfterMs?: number;
  /**
   * Time for a thread that must go to finish its current text and end by itself, before it is ended by force. Default 5 s.
   * Force is for endless loops: ONNX Runtime aborts the whole process when its thread is terminated inside a run.
   */
  terminateAfterMs?: number;
  /** Pause before the first replacement of a thread; doubles with every death in a row. Default 100 ms. */
  restartDelayMs?: number;
  /** Longest pause before a replacement. Default 30 s. */
  maxRestartDelayMs?: number;
  /** Replacements that may fail to start in a row, with no other thread alive, before the pool gives up. Default 5. */
  maxFailedStarts?: number;
  /** JS heap of one thread in MB, without tensors and buffers; a thread that needs more ends. Default 128. */
  maxHeapMb?: number;
  /** Called with everything that happens; must not throw. Default: nobody listens. */
  onEvent?: (event: InferenceEvent) => void;
}

/** Options with nothing left open. */
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
