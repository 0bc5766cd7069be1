/** Parser for labelled pairs of texts, pasted or from a file. */

import { parse } from 'papaparse';

/** Two texts and their label. */
export interface LabelledTextPair {
  a: string;
  b: string;
  /** Whether a person judged the texts to mean the same. */
  same: boolean;
}

const SAME = new Set(['1', 'true', 'yes', 'y', 'same', 'duplicate']);
const DIFFERENT = new Set(['0', 'false', 'no', 'n', 'different', 'other']);

/**
 * Parses one pair per line: first text, second text, label, separated by commas, tabs or semicolons. A first
 * line that is not a pair counts as a header and is skipped.
 * @throws {Error} with the number of the first other line that is not a pair; the message is shown on the
 * page
 */
export function parsePairs(text: string): LabelledTextPair[] {
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
