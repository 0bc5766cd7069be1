/** Reads pairs of texts labelled as the same or different. */

import { quote } from '@embedmill/contract';
import { UsageError } from '../../shell/exit-codes.ts';
import { formatNoun } from '../../shell/terminal/numbers.ts';
import { type FileRecord, numberField, readRecords, textField } from './read-records.ts';

/** Field names and the meaning of labels. */
export interface PairFields {
  a: string;
  b: string;
  label: string;
  /** Minimum numeric label of "same"; `null` if labels are words. */
  sameFrom: number | null;
}

/** Two texts and whether they are the same. */
export interface LabelledTexts {
  a: string;
  b: string;
  same: boolean;
}

const SAME = new Set(['1', 'true', 'yes', 'same']);
const DIFFERENT = new Set(['0', 'false', 'no', 'different']);

/**
 * Reads all pairs, which must have both labels.
 * @throws {UsageError} that quotes the invalid line and says what is expected
 */
export async function readLabelledPairs(path: string, fields: PairFields): Promise<LabelledTexts[]> {
  const pairs = await readPairs(path, fields);
  checkBothLabels(pairs, path);
  return pairs;
}

/** Reads all pairs. @throws {UsageError} that quotes the invalid line and says what is expected */
export async function readPairs(path: string, fields: PairFields): Promise<LabelledTexts[]> {
  const pairs: LabelledTexts[] = [];
  for await (const record of readRecords(path, fields.a)) {
    pairs.push({
      a: textField(record, fields.a),
      b: textField(record, fields.b),
      same: readLabel(record, fields),
    });
  }
  if (pairs.length === 0)
    throw new UsageError(`${quote(path, 200)} has no pairs; expected two texts and a label`);
  return pairs;
}

/** Checks that both labels occur. @throws {UsageError} if one is missing */
export function checkBothLabels(pairs: readonly Pick<LabelledTexts, 'same'>[], path: string): void {
  for (const same of [true, false]) {
    if (pairs.some((pair) => pair.same === same)) continue;
    throw new UsageError(
      `of ${formatNoun(pairs.length, 'pair')} in ${quote(path, 200)} none is ${same ? 'the same' : 'different'}; ` +
        'a threshold needs pairs with both labels',
    );
  }
}

function readLabel(record: FileRecord, { label, sameFrom }: PairFields): boolean {
  if (sameFrom !== null) return numberField(record, label) >= sameFrom;
  const value = record.fields[label];
  // Throws an error that lists the existing fields.
  if (value === undefined) textField(record, label);
  const word = String(value).trim().toLowerCase();
  if (SAME.has(word)) return true;
  if (DIFFERENT.has(word)) return false;
  throw new UsageError(
    `${record.place} has the ${quote(label)} ${quote(value)}; expected ${[...SAME].join(', ')} or ` +
      `${[...DIFFERENT].join(', ')}, or a number and --same-from`,
  );
}
