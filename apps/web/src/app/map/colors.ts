/**
 * Colours of point groups, adapted from Okabe and Ito (2008): distinguishable with most forms of colour
 * blindness, and visible in both themes.
 */

const COLORS = [
  '#0b84c4',
  '#e08a00',
  '#009e73',
  '#cc5f9c',
  '#c44e00',
  '#7a68c9',
  '#8a7a00',
  // Neutral: with labels, the last group collects all others.
  '#8b949e',
] as const;

/** Returns the CSS colour of a group, counted from 0; the eight colours repeat. */
export function groupColor(group: number): string {
  return COLORS[group % COLORS.length]!;
}
