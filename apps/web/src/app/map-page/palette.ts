/** Colours of topics, visible in both themes; the first eight are distinguishable with most forms of colour blindness. */

export const PALETTE = [
  '#0b84c4',
  '#e08a00',
  '#009e73',
  '#cc5f9c',
  '#c44e00',
  '#7a68c9',
  '#8a7a00',
  '#d8434e',
  '#1aa3a3',
  '#a2529f',
  '#5c8f2b',
  '#b07a4c',
  '#4f74dd',
  '#c98ba5',
] as const;
