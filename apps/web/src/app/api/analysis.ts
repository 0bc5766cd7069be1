/** Responses of the analysis routes of a run: its map, topics and near-duplicates. */

/** Where the analysis of a run is. */
export interface AnalysisStatus {
  state: 'none' | 'waiting' | 'running' | 'ready' | 'failed';
  /** What is being done now. */
  step: string | null;
  /** 0 to 1. */
  progress: number;
  /** Why the analysis failed. */
  reason: string | null;
  topics: number | null;
}

/** A row with its text. */
export interface ExampleRow {
  row: number;
  id: string;
  text: string | null;
}

/** A topic; its number is its position in the list, the largest first. */
export interface Topic {
  topic: number;
  name: string;
  /** Whether a person chose the name. */
  isRenamed: boolean;
  group: number;
  rows: number;
  /** Share of all rows, 0 to 1. */
  share: number;
  terms: { term: string; rows: number }[];
  /** Its most typical rows. */
  examples: ExampleRow[];
  /** The topic that is most like it, and the terms that this one has and the other has not. */
  nearest: { topic: number; terms: string[] } | null;
  /** Place on the map. */
  center: [x: number, y: number];
}

/** Topics that belong together. */
export interface TopicGroup {
  group: number;
  name: string;
  rows: number;
  topics: number[];
}

/** All topics of a run. */
export interface TopicList {
  topics: Topic[];
  groups: TopicGroup[];
}

/** Rows that say nearly the same. */
export interface DuplicateGroups {
  /** Minimum cosine of two rows of a group. */
  threshold: number;
  groups: { representative: ExampleRow; rows: { row: number; score: number }[] }[];
  /** Rows in all groups, including those that are not listed. */
  rowsInGroups: number;
}
