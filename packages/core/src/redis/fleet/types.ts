/** What a worker says of itself to whoever watches the fleet. */

/** One worker as it was a few seconds ago. */
export interface WorkerReport {
  /** Host, process id and some chance: two workers never share one. */
  id: string;
  host: string;
  /** ISO 8601. */
  startedAt: string;
  /** Inference threads it should have, and those at work now. */
  threads: number;
  busyThreads: number;
  /** Batches it holds and has not begun. */
  waitingBatches: number;
  /** Cores used by its control group, or by itself without one, and cores that it may use. */
  usedCores: number;
  quotaCores: number;
  /** Resident memory in bytes. */
  memoryBytes: number;
  model: string;
  fingerprint: string;
}
