/** Turns nearest neighbours into a graph with weights: how certainly two rows belong together (UMAP, section 3.1). */

import type { Neighbours } from './neighbours.ts';

/** Rounds of the bisection that finds the scale of a row. */
const BISECTIONS = 40;

/** Links between rows, each in both directions and sorted by its first row. */
export interface WeightedGraph {
  readonly rows: number;
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** 0 to 1. */
  readonly weights: Float32Array;
}

/** Links rows if at least one is a neighbour of the other; the weight of a link is the probability that one of them is. */
export function weightedGraph(neighbours: Neighbours): WeightedGraph {
  const { rows, count, numbers } = neighbours;
  const forward = membershipsOf(neighbours);
  // The links towards each row, in the order of the rows that they come from.
  const start = new Int32Array(rows + 1);
  for (const number of numbers) start[number + 1]! += 1;
  for (let row = 0; row < rows; row++) start[row + 1]! += start[row]!;
  const incoming = new Int32Array(numbers.length);
  const filled = start.slice();
  for (let link = 0; link < numbers.length; link++) incoming[filled[numbers[link]!]!++] = link;

  const from: number[] = [];
  const to: number[] = [];
  const weights: number[] = [];
  const back = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const links = incoming.subarray(start[row]!, start[row + 1]!);
    for (const link of links) back[Math.floor(link / count)] = forward[link]!;
    const add = (other: number, a: number, b: number) => {
      from.push(row);
      to.push(other);
      weights.push(a + b - a * b);
    };
    for (let link = row * count; link < (row + 1) * count; link++) {
      const other = numbers[link]!;
      add(other, forward[link]!, back[other]!);
      back[other] = 0;
    }
    for (const link of links) {
      const other = Math.floor(link / count);
      if (back[other]! > 0) add(other, 0, back[other]!);
      back[other] = 0;
    }
  }
  return { rows, from: Int32Array.from(from), to: Int32Array.from(to), weights: Float32Array.from(weights) };
}

/** How much each neighbour belongs to its row, 0 to 1; the nearest one 1. */
function membershipsOf({ rows, count, cosines }: Neighbours): Float32Array {
  const memberships = new Float32Array(cosines.length);
  const target = log2(count);
  const average = cosines.reduce((sum, cosine) => sum + (1 - cosine), 0) / cosines.length;
  for (let row = 0; row < rows; row++) {
    const distances = cosines.subarray(row * count, (row + 1) * count).map((cosine) => 1 - cosine);
    const nearest = distances[0]!;
    let [low, high, scale] = [0, Number.POSITIVE_INFINITY, Math.max(average, 1e-6)];
    for (let round = 0; round < BISECTIONS; round++) {
      let sum = 0;
      for (const distance of distances) sum += decay((distance - nearest) / scale);
      if (sum > target) high = scale;
      else low = scale;
      scale = high === Number.POSITIVE_INFINITY ? 2 * scale : (low + high) / 2;
    }
    // Rows with equal distances would get a scale of 0.
    scale = Math.max(scale, 1e-3 * average, 1e-9);
    for (let n = 0; n < count; n++) memberships[row * count + n] = decay((distances[n]! - nearest) / scale);
  }
  return memberships;
}

/** exp(−x) for x of 0 or more, by (1 − x/1024)^1024: Math.exp may differ between JavaScript engines. */
function decay(x: number): number {
  let power = Math.max(0, 1 - x / 1024);
  for (let n = 0; n < 10; n++) power *= power;
  return power;
}

/** log2 of a whole number of 1 or more, linear between powers of two. */
function log2(number: number): number {
  const floor = 31 - Math.clz32(number);
  return floor + number / 2 ** floor - 1;
}
