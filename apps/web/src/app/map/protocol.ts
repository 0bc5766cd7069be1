/** Messages between the page and the web worker that computes a map. */

/** Vectors to place; their buffer is transferred, not copied. */
export interface MapRequest {
  rows: number;
  dim: number;
  /** Row-major, rows × dim; a row of zeros has no vector. */
  vectors: Float32Array<ArrayBuffer>;
  /** Maximum number of clusters. */
  clusters: number;
}

/** Progress, then the result or an error. */
export type MapReply =
  | { kind: 'progress'; step: string }
  | { kind: 'placed'; placed: PlacedRows }
  | { kind: 'failed'; message: string };

/** Rows as points and their clusters. */
export interface PlacedRows {
  /** Coordinates by row; `NaN` for a row without a vector. */
  x: Float32Array<ArrayBuffer>;
  y: Float32Array<ArrayBuffer>;
  /** Cluster by row, counted from 0; −1 for a row without a vector. */
  clusters: Int32Array<ArrayBuffer>;
  /** The row nearest to the centroid, by cluster. */
  examples: number[];
  /** Share of the variance that the two axes explain, 0 to 1. */
  shown: number;
}
