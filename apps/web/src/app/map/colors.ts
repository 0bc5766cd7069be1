/**
 * Colours of groups of points: told apart by most colour-blind readers, and seen on light and dark ground
 * (after Okabe and Ito, 2008).
 */

const COLORS = [
  '#0b84c4',
  '#e08a00',
  '#009e73',
  '#cc5f9c',
  '#c44e00',
  '#7a68c9',
  '#8a7a00',
  '#4f8f9e',
] as const;

/** The same group has the same colour; beyond eight they repeat. */
export function groupColor(group: number): string {
  return COLORS[group % COLORS.length]!;
}
