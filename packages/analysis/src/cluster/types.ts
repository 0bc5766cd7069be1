/** The input of the analyses and the result of a clustering. */

/** Vectors of length 1, row by row in one array. */
export interface Matrix {
  readonly rows: number;
  /** Floats per vector. */
  readonly dim: number;
  /** rows × dim. */
  readonly vectors: Float32Array;
}

/** Rows in groups around centroids. */
export interface Clustering {
  /** The cluster of each row, 0 to clusters − 1. */
  readonly assignments: Int32Array;
  /** One vector of length 1 per cluster; each has at least one row. */
  readonly centroids: Matrix;
  /** Cosine of each row with the centroid of its cluster. */
  readonly cosines: Float32Array;
  /** Mean of 1 − cosine, which the clustering minimizes. */
  readonly spread: number;
}
