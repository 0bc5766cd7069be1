/** Cuts one vector out of many, and vectors to fewer dimensions; the routes of foreign APIs call it. */

/**
 * The first `dimensions` floats, brought back to length 1 in double precision; the vector itself when nothing is cut,
 * so that its bytes are those of a bulk run.
 */
export function shorten(vector: Float32Array, dimensions: number | undefined): Float32Array {
  if (dimensions === undefined || dimensions >= vector.length) return vector;
  const kept = vector.subarray(0, dimensions);
  let squares = 0;
  for (const value of kept) squares += value * value;
  const length = Math.sqrt(squares);
  return length === 0 ? kept : kept.map((value) => value / length);
}
