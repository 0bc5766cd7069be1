/** The colours of topics on a map: visible in both themes, and different for topics near each other. */

/**
 * Found by a search for colours that are far from each other (0.085 or more in Oklab) with full colour vision,
 * protanopia and deuteranopia.
 */
export const TOPIC_COLORS = [
  '#0b84c4',
  '#e08a00',
  '#b0304f',
  '#0cc1fd',
  '#723eb5',
  '#eba2b8',
  '#63b376',
  '#8b7b02',
  '#967dfa',
] as const;

/**
 * Returns the colour of each topic, an index below `colors`: of the colours used the least so far, the one whose topics
 * are the farthest away.
 * @param centers x and y of each topic, the largest first, interleaved
 */
export function topicColors(centers: Float32Array, colors: number): Uint8Array {
  const chosen = new Uint8Array(centers.length / 2);
  const used = new Array<number>(colors).fill(0);
  for (let topic = 0; topic < chosen.length; topic++) {
    const nearest = new Array<number>(colors).fill(Number.POSITIVE_INFINITY);
    for (let other = 0; other < topic; other++) {
      const dx = centers[2 * topic]! - centers[2 * other]!;
      const dy = centers[2 * topic + 1]! - centers[2 * other + 1]!;
      nearest[chosen[other]!] = Math.min(nearest[chosen[other]!]!, dx * dx + dy * dy);
    }
    let best = 0;
    for (let color = 1; color < colors; color++) {
      const isRarer = used[color]! < used[best]!;
      const isFarther = used[color] === used[best] && nearest[color]! > nearest[best]!;
      if (isRarer || isFarther) best = color;
    }
    chosen[topic] = best;
    used[best]! += 1;
  }
  return chosen;
}
