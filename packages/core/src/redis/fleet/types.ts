/** What a worker reports about itself. */

/** A model that a worker serves. */
export interface WorkerModel {
  name: string;
  /** Of its int8 model. */
  fingerprint: string;
  /** `exact`, with the kernel, `static` or `onnx`. */
  engine: string;
  /** Estimated tokens per second (as batches are cut) of one busy thread; absent before its first batch. */
  tokensPerSecond?: number | undefined;
}

/** A model that a worker should serve and does not serve yet. */
export interface ModelLoad {
  model: string;
  /** `loading`: it is being fetched and opened; `failed`: it is tried again later. */
  state: 'loading' | 'failed';
  /** What is being done, or why it failed, as a part of a sentence. */
  reason: string;
}

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
  /** Models that it serves besides; this and the next fields are absent for workers of older versions. */
  otherModels?: WorkerModel[] | undefined;
  /** Names of the models that are installed beside it and that it would serve if a run asked for them. */
  installedModels?: string[] | undefined;
  /** Whether it also pulls those that are installed beside the producer. */
  pullsModels?: boolean | undefined;
  modelLoads?: ModelLoad[] | undefined;
}
