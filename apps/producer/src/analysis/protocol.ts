/** Messages between the producer and the thread that analyses one run. */

import type { RunTopicGroup } from '@embedmill/contract';

/** The steps in their order: what is shown of each, and its usual share of the time. */
export const STEPS = {
  vectors: { name: 'reading the vectors', share: 0.05 },
  topics: { name: 'finding topics', share: 0.3 },
  words: { name: 'counting words', share: 0.05 },
  map: { name: 'drawing the map', share: 0.5 },
  duplicates: { name: 'finding near-duplicates', share: 0.1 },
} as const;

/** What the thread is started with. */
export interface AnalysisRequest {
  /** Rows of the run. */
  rows: number;
  /** Floats per vector. */
  dim: number;
  /** Number of topics; `null` to choose it. */
  topics: number | null;
  /** Minimum cosine similarity of near-duplicates. */
  threshold: number;
}

/** Sent to the thread; each is acknowledged by a message of kind `taken`, so that at most one is on its way. */
export type ToThread =
  /** Vectors of the rows from `from` on; `present` has one byte per row. */
  | { kind: 'vectors'; from: number; vectors: Float32Array; present: Uint8Array }
  /** Texts of the rows from `from` on, once the topics are found. */
  | { kind: 'texts'; from: number; texts: readonly (string | null)[] }
  /** All vectors, or all texts, were sent. */
  | { kind: 'all' };

/** Sent by the thread. */
export type FromThread =
  | { kind: 'taken' }
  | { kind: 'progress'; step: string; progress: number }
  /** The thread waits for the texts. */
  | { kind: 'topics'; topics: number }
  | { kind: 'done'; result: ComputedAnalysis };

/** A topic, with rows in place of texts. */
export interface ComputedTopic {
  name: string;
  key: string;
  group: number | null;
  rows: number;
  share: number;
  terms: { term: string; rows: number }[];
  examples: number[];
  nearest: { topic: number; terms: string[] } | null;
  center: [x: number, y: number];
}

/** What the thread has found, with rows in place of texts. */
export interface ComputedAnalysis {
  places: Float32Array;
  scores: Float32Array;
  topicOf: Int16Array;
  topics: ComputedTopic[];
  groups: RunTopicGroup[];
  duplicates: {
    groups: { rows: { row: number; score: number }[]; size: number }[];
    groupCount: number;
    rowsInGroups: number;
  };
  steps: { name: string; seconds: number }[];
}
