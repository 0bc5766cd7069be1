/** What a worker reports about itself. */

/** One worker as it was a few seconds ago. */
export interface WorkerReport {
  /** Unique: host, process id and a random part. */
  id: string;
  host: string;
  /** ISO 8601. */
  startedAt: string;
  /** Configured inference threads, and those that are busy. */
  threads: number;
  busyThreads: number;
  /** Batches it holds and has not started. */
  waitingBatches: number;
  /** Cores used by its control group (by the process, without one), and its CPU quota in cores. */
  usedCores: number;
  quotaCores: number;
  /** Share of the time for which the CPU quota stopped its threads, 0 to 1; absent for workers of older versions. */
  throttledRatio?: number | undefined;
  /** Resident memory in bytes. */
  memoryBytes: number;
  model: string;
  fingerprint: string;
  /**
   * Estimated tokens per second (as batches are cut) of one busy thread; absent before its first batch and for
   * workers of older versions.
   */
  tokensPerSecond?: number | undefined;
  /** `exact`, with the kernel, or `onnx`; absent for workers of older versions. */
  engine?: string | undefined;
}
