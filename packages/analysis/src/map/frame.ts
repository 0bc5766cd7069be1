/** The frame of a map: its centre, its axes, its scale, and the places of equal rows. */

/** Shares of the rows outside the box that is centred, on each side, and outside the circle of radius 1. */
const TRIMMED_SHARE = 0.01;
const OUTSIDE_SHARE = 0.01;

/** What rows beyond radius 1 may add to it: far outliers must not make the rest small. */
const MAX_BEYOND = 0.25;

/** Distance between equal rows, and maximum radius of their disc. */
const EQUAL_ROWS_GAP = 0.004;
const EQUAL_ROWS_RADIUS = 0.1;

/** Cosine and sine of the golden angle, by which the rows of a disc are turned. */
const GOLDEN_COS = -0.7373688780783197;
const GOLDEN_SIN = 0.6754902942615238;

/**
 * Turns the longer axis of the places to x, centres them, and scales them so that 99 % are within 1 of the origin and
 * all within 1.25. Changes `places`.
 */
export function frame(places: Float32Array): void {
  const count = places.length / 2;
  if (count === 0) return;
  turn(places);
  for (const axis of [0, 1]) {
    const values = new Float32Array(count);
    for (let n = 0; n < count; n++) values[n] = places[2 * n + axis]!;
    values.sort();
    const center = (quantile(values, TRIMMED_SHARE) + quantile(values, 1 - TRIMMED_SHARE)) / 2;
    for (let n = axis; n < places.length; n += 2) places[n]! -= center;
  }
  const radii = new Float32Array(count);
  for (let n = 0; n < count; n++) radii[n] = lengthOf(places, n);
  const radius = quantile(radii.sort(), 1 - OUTSIDE_SHARE);
  if (radius === 0) return;
  for (let n = 0; n < count; n++) {
    const length = lengthOf(places, n) / radius;
    const bounded = length <= 1 ? length : 1 + MAX_BEYOND * (1 - 1 / length);
    const scale = length === 0 ? 0 : bounded / length / radius;
    places[2 * n]! *= scale;
    places[2 * n + 1]! *= scale;
  }
}

/**
 * Gives each row its place; rows with equal vectors form a disc around theirs, in the pattern of a sunflower.
 * @param rows number of rows of the matrix
 * @param distinct the first row with each vector
 * @param firstOf for each row, the index of its vector; −1 without one
 * @param places the places of the vectors, distinct × 2
 * @returns rows × 2, NaN without a vector
 */
export function spreadEqualRows(
  rows: number,
  distinct: Int32Array,
  firstOf: Int32Array,
  places: Float32Array,
): Float32Array {
  const sizes = new Int32Array(distinct.length);
  for (const first of firstOf) if (first !== -1) sizes[first]! += 1;
  const map = new Float32Array(2 * rows).fill(Number.NaN);
  const directions = new Float64Array(places.length);
  const seen = new Int32Array(distinct.length);
  for (let row = 0; row < rows; row++) {
    const first = firstOf[row]!;
    if (first === -1) continue;
    const at = 2 * first;
    const n = seen[first]!++;
    const gap = Math.min(EQUAL_ROWS_GAP, EQUAL_ROWS_RADIUS / Math.sqrt(sizes[first]!));
    const [x, y] = n === 0 ? [1, 0] : [directions[at]!, directions[at + 1]!];
    const distance = gap * Math.sqrt(n);
    map[2 * row] = places[at]! + distance * x;
    map[2 * row + 1] = places[at + 1]! + distance * y;
    directions[at] = x * GOLDEN_COS - y * GOLDEN_SIN;
    directions[at + 1] = x * GOLDEN_SIN + y * GOLDEN_COS;
  }
  return map;
}

/** Turns the direction of the largest variance to the x axis. */
function turn(places: Float32Array): void {
  const count = places.length / 2;
  let [meanX, meanY, xx, xy, yy] = [0, 0, 0, 0, 0];
  for (let n = 0; n < count; n++) {
    meanX += places[2 * n]! / count;
    meanY += places[2 * n + 1]! / count;
  }
  for (let n = 0; n < count; n++) {
    const dx = places[2 * n]! - meanX;
    const dy = places[2 * n + 1]! - meanY;
    xx += dx * dx;
    xy += dx * dy;
    yy += dy * dy;
  }
  // The larger eigenvalue of the covariance, and its eigenvector.
  const half = (xx - yy) / 2;
  const root = Math.sqrt(half * half + xy * xy);
  const [vx, vy] = half >= 0 ? [half + root, xy] : [xy, root - half];
  const length = Math.sqrt(vx * vx + vy * vy);
  if (length === 0) return;
  const [cos, sin] = [vx / length, vy / length];
  for (let n = 0; n < count; n++) {
    const [x, y] = [places[2 * n]!, places[2 * n + 1]!];
    places[2 * n] = cos * x + sin * y;
    places[2 * n + 1] = cos * y - sin * x;
  }
}

function lengthOf(places: Float32Array, n: number): number {
  return Math.sqrt(places[2 * n]! ** 2 + places[2 * n + 1]! ** 2);
}

/** The value below which this share of the sorted values is. */
function quantile(sorted: Float32Array, share: number): number {
  return sorted[Math.round(share * (sorted.length - 1))]!;
}
