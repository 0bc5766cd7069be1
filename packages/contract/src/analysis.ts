/** The analysis of a completed run: its topics, its map and its near-duplicates. */

/** Maximum number of topics that a request may ask for. */
export const MAX_TOPICS = 1000;

/** Maximum characters of the name that a user gives a topic. */
export const MAX_TOPIC_NAME_CHARS = 200;

/**
 * `none`: never asked for, or the run has ended again since; `waiting`: other runs are analysed first; `ready`: stored
 * with the run.
 */
export type AnalysisState = 'none' | 'waiting' | 'running' | 'ready' | 'failed';

/** Where the analysis of a run is. */
export interface AnalysisStatus {
  state: AnalysisState;
  /** What is being done now, such as `finding topics`; `null` if nothing is. */
  step: string | null;
  /** Share of the work done, 0 to 1. */
  progress: number;
  /** Why it failed; `null` if it did not. */
  reason: string | null;
  /** Rows of the run. */
  rows: number;
  /** Number of topics; `null` until they are found. */
  topics: number | null;
  /** Number of topics that was asked for; `null` if it was left to the analysis. */
  requestedTopics: number | null;
  /** What took how long; empty until it is ready. */
  steps: { name: string; seconds: number }[];
}

/** A row that is shown with its text. */
export interface ExampleRow {
  /** 0-based position in the run. */
  row: number;
  id: string;
  /** `null` for a row that was rejected on input. */
  text: string | null;
}

/** A topic of a run. */
export interface RunTopic {
  /** Number of the topic, from 0, largest first. */
  topic: number;
  /** From its key terms, or as a user named it. */
  name: string;
  isRenamed: boolean;
  /** Number of its group; `null` if there are no groups. */
  group: number | null;
  rows: number;
  /** Share of the rows with a vector, 0 to 1. */
  share: number;
  /** Key terms, best first, with the number of rows of the topic that have them. */
  terms: { term: string; rows: number }[];
  /** Up to three typical rows, which are no near-duplicates of each other. */
  examples: ExampleRow[];
  /** The most similar topic, and the terms that distinguish this one from it; `null` for a single topic. */
  nearest: { topic: number; terms: string[] } | null;
  /** Median place of its rows on the map. */
  center: [x: number, y: number];
}

/** A group of similar topics. */
export interface RunTopicGroup {
  /** Number of the group, from 0, largest first. */
  group: number;
  name: string;
  rows: number;
  terms: string[];
  /** Its topics, largest first. */
  topics: number[];
}

/** All topics of a run, largest first. */
export interface RunTopics {
  topics: RunTopic[];
  /** Empty if there are no groups. */
  groups: RunTopicGroup[];
}

/** Rows of a run that say nearly the same. */
export interface RunDuplicates {
  /** Minimum cosine similarity of linked rows. */
  threshold: number;
  /** The largest groups, each with its first rows; the representative is the first row. */
  groups: { representative: ExampleRow; rows: { row: number; score: number }[]; size: number }[];
  /** Number of all groups, and of the rows in them. */
  groupCount: number;
  rowsInGroups: number;
}
