/** What the page and the thread that computes a map say to each other. */

/** Vectors to be placed; they are handed over, not copied. */
export interface MapRequest {
  rows: number;
  dim: number;
  /** rows × dim. */
  vectors: Float32Array<ArrayBuffer>;
  clusters: number;
}

/** How far it is, and at last where every row is. */
export type MapReply =
  | { kind: 'progress'; step: string }
  | { kind: 'placed'; placed: PlacedRows }
  | { kind: 'failed'; message: string };

/** Rows as points. */
export interface PlacedRows {
  x: Float32Array<ArrayBuffer>;
  y: Float32Array<ArrayBuffer>;
  /** The cluster of each row; −1 for a row without a vector. */
  clusters: Int32Array<ArrayBuffer>;
  /** For each cluster, the row nearest to its middle. */
  examples: number[];
  /** Part of the differences between the vectors that the two axes show, 0 to 1. */
  shown: number;
}
