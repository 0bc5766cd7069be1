/**
 * Principal components of vectors. Every step is an addition, multiplication, division or square root in float64 in a
 * fixed order, so the result has the same bytes on every machine.
 */

/** Off-diagonal elements below this share of the largest diagonal element count as zero. */
const TOLERANCE = 1e-12;
const MAX_SWEEPS = 30;

/** Mean and principal directions of vectors. */
export interface Components {
  mean: Float64Array;
  /** `count` directions of length 1, in order of falling variance; each has as many numbers as a vector. */
  directions: Float64Array[];
}

/**
 * Returns the first `count` principal components of the rows that `included` names.
 * @param rows vectors of `dim` floats
 */
export function principalComponents(
  rows: Float32Array,
  dim: number,
  included: readonly number[],
  count: number,
): Components {
  const mean = new Float64Array(dim);
  for (const row of included) for (let i = 0; i < dim; i++) mean[i]! += rows[row * dim + i]!;
  for (let i = 0; i < dim; i++) mean[i]! /= included.length;
  const { values, vectors } = eigenvectors(covariance(rows, dim, included, mean), dim);
  const order = Array.from(values.keys()).sort((a, b) => values[b]! - values[a]! || a - b);
  return {
    mean,
    directions: order.slice(0, count).map((column) => vectors.slice(column * dim, (column + 1) * dim)),
  };
}

/** Returns the covariance matrix times the number of rows. */
function covariance(
  rows: Float32Array,
  dim: number,
  included: readonly number[],
  mean: Float64Array,
): Float64Array {
  const matrix = new Float64Array(dim * dim);
  // Four rows at a time, because the matrix is larger than the nearest cache.
  const four = Array.from({ length: 4 }, () => new Float64Array(dim));
  const [a, b, c, d] = four as [Float64Array, Float64Array, Float64Array, Float64Array];
  for (let start = 0; start < included.length; start += 4) {
    for (const [k, centred] of four.entries()) {
      const row = included[start + k];
      for (let i = 0; i < dim; i++) centred[i] = row === undefined ? 0 : rows[row * dim + i]! - mean[i]!;
    }
    for (let i = 0; i < dim; i++) {
      const [fa, fb, fc, fd] = [a[i]!, b[i]!, c[i]!, d[i]!];
      const line = matrix.subarray(i * dim, (i + 1) * dim);
      for (let j = i; j < dim; j++) line[j]! += fa * a[j]! + fb * b[j]! + fc * c[j]! + fd * d[j]!;
    }
  }
  for (let i = 0; i < dim; i++) for (let j = 0; j < i; j++) matrix[i * dim + j] = matrix[j * dim + i]!;
  return matrix;
}

/**
 * Eigenvalues and eigenvectors of a symmetric matrix by cyclic Jacobi rotations (Golub and Van Loan, "Matrix
 * Computations", section 8.5); the matrix is overwritten.
 * @returns vectors one after the other, in the order of the values
 */
function eigenvectors(matrix: Float64Array, dim: number): { values: Float64Array; vectors: Float64Array } {
  const vectors = new Float64Array(dim * dim);
  for (let i = 0; i < dim; i++) vectors[i * dim + i] = 1;
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    let largest = 0;
    for (let i = 0; i < dim; i++) largest = Math.max(largest, Math.abs(matrix[i * dim + i]!));
    let rotations = 0;
    for (let p = 0; p < dim; p++) {
      for (let q = p + 1; q < dim; q++) {
        if (Math.abs(matrix[p * dim + q]!) <= TOLERANCE * largest) continue;
        rotate(matrix, vectors, dim, p, q);
        rotations += 1;
      }
    }
    if (rotations === 0) break;
  }
  return { values: Float64Array.from({ length: dim }, (_, i) => matrix[i * dim + i]!), vectors };
}

/** Makes the elements (p, q) and (q, p) zero. */
function rotate(matrix: Float64Array, vectors: Float64Array, dim: number, p: number, q: number): void {
  const element = matrix[p * dim + q]!;
  const theta = (matrix[q * dim + q]! - matrix[p * dim + p]!) / (2 * element);
  const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cosine = 1 / Math.sqrt(tangent * tangent + 1);
  const sine = tangent * cosine;
  // Rows, then columns by symmetry: the matrix is read along its rows only.
  const rowP = matrix.subarray(p * dim, (p + 1) * dim);
  const rowQ = matrix.subarray(q * dim, (q + 1) * dim);
  const [pp, qq] = [rowP[p]!, rowQ[q]!];
  rotateRows(rowP, rowQ, cosine, sine);
  for (let k = 0; k < dim; k++) {
    matrix[k * dim + p] = rowP[k]!;
    matrix[k * dim + q] = rowQ[k]!;
  }
  rowP[p] = pp - tangent * element;
  rowQ[q] = qq + tangent * element;
  rowP[q] = 0;
  rowQ[p] = 0;
  rotateRows(
    vectors.subarray(p * dim, (p + 1) * dim),
    vectors.subarray(q * dim, (q + 1) * dim),
    cosine,
    sine,
  );
}

function rotateRows(a: Float64Array, b: Float64Array, cosine: number, sine: number): void {
  for (let k = 0; k < a.length; k++) {
    const [x, y] = [a[k]!, b[k]!];
    a[k] = cosine * x - sine * y;
    b[k] = sine * x + cosine * y;
  }
}
