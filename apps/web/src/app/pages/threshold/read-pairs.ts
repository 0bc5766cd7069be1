/** Reads labelled pairs of texts from what was pasted or from a file. */

import { parse } from 'papaparse';

/** Two texts and what a person says of them. */
export interface LabelledPair {
  a: string;
  b: string;
  same: boolean;
}

const SAME = new Set(['1', 'true', 'yes', 'y', 'same', 'duplicate']);
const DIFFERENT = new Set(['0', 'false', 'no', 'n', 'different', 'other']);

/**
 * One pair a line: first text, second text, label; with commas, tabs or semicolons between them, a first line
 * of titles is left out.
 * @throws {Error} in words for the page, naming the first line that cannot be read
 */
export function readPairs(text: string): LabelledPair[] {
  const { data } = parse<string[]>(text.trim(), {
    skipEmptyLines: 'greedy',
    delimitersToGuess: [',', '\t', ';'],
  });
  return data.flatMap((fields, i) => {
    const [a = '', b = '', label = ''] = fields;
    const same = labelOf(label);
    if (same !== null && a.trim() !== '' && b.trim() !== '') return [{ a, b, same }];
    if (i === 0) return [];
    throw new Error(
      `Line ${i + 1} is not a labelled pair: expected two texts and “same” or “different” (or 1 or 0), got ${JSON.stringify(fields.slice(0, 4))}.`,
    );
  });
}

function labelOf(label: string): boolean | null {
  const word = label.trim().toLowerCase();
  if (SAME.has(word)) return true;
  return DIFFERENT.has(word) ? false : null;
}
