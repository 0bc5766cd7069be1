/** Shortens vectors to fewer dimensions for the compatible APIs. */

/**
 * The first `dimensions` floats, renormalized to length 1 in double precision. Without a reduction it is the
 * vector itself, so that its bytes equal those of a bulk run.
 */
export function shorten(vector: Float32Array, dimensions: number | undefined): Float32Array {
  if (dimensions === undefined || dimensions >= vector.length) return vector;
  const kept = vector.subarray(0, dimensions);
  let squares = 0;
  for (const value of kept) squares += value * value;
  const length = Math.sqrt(squares);
  return length === 0 ? kept : kept.map((value) => value / length);
}
