/** Cosines of vectors of length 1, and their summary in tables. */

/**
 * @param {Float32Array} a
 * @param {Float32Array} b
 */
export function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/**
 * Mean, mean of the worst 1 % and minimum, as text.
 * @param {number[]} cosines at least one
 */
export function summarise(cosines) {
  const sorted = cosines.toSorted((a, b) => a - b);
  const mean = (list) => list.reduce((sum, x) => sum + x, 0) / list.length;
  const worst = sorted.slice(0, Math.max(1, Math.round(sorted.length / 100)));
  return [mean(sorted), mean(worst), sorted[0]].map((x) => x.toFixed(5));
}
