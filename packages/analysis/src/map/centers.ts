/** The place of a label: the middle of the rows that it names. */

/**
 * The median x and y of the rows of each topic, interleaved; NaN for topics without a row on the map. Unlike a mean, it
 * is not moved by rows of the topic that are elsewhere.
 * @param places rows × 2
 * @param topicOf the topic of each row, −1 without one
 */
export function topicCenters(places: Float32Array, topicOf: ArrayLike<number>, topics: number): Float32Array {
  const sizes = new Int32Array(topics);
  const isPlaced = (row: number) => topicOf[row]! >= 0 && !Number.isNaN(places[2 * row]!);
  for (let row = 0; row < topicOf.length; row++) if (isPlaced(row)) sizes[topicOf[row]!]! += 1;
  const centers = new Float32Array(2 * topics);
  for (const axis of [0, 1]) {
    const values = Array.from(sizes, (size) => new Float32Array(size));
    const filled = new Int32Array(topics);
    for (let row = 0; row < topicOf.length; row++) {
      const topic = topicOf[row]!;
      if (isPlaced(row)) values[topic]![filled[topic]!++] = places[2 * row + axis]!;
    }
    for (const [topic, own] of values.entries()) {
      centers[2 * topic + axis] = own.sort()[Math.floor(own.length / 2)] ?? Number.NaN;
    }
  }
  return centers;
}
