/** Reads pairs of texts that a person called the same or different; `embedmill calibrate` calls it. */

import { quote } from '@embedmill/contract';
import { type FileRecord, numberField, readRecords, textField } from '../../io/records/read-records.ts';
import { UsageError } from '../../shell/exit-codes.ts';
import { formatNoun } from '../../shell/terminal/numbers.ts';

/** Which fields, and what in them means the same. */
export interface PairFields {
  a: string;
  b: string;
  label: string;
  /** Labels are numbers, and this or more is the same; `null` when they are words. */
  sameFrom: number | null;
}

/** Two texts and the verdict on them. */
export interface LabelledPair {
  a: string;
  b: string;
  same: boolean;
}

const SAME = new Set(['1', 'true', 'yes', 'same']);
const DIFFERENT = new Set(['0', 'false', 'no', 'different']);

/** @throws {UsageError} that names the line and what it should hold */
export async function readLabelledPairs(path: string, fields: PairFields): Promise<LabelledPair[]> {
  const pairs: LabelledPair[] = [];
  for await (const record of readRecords(path)) {
    pairs.push({
      a: textField(record, fields.a),
      b: textField(record, fields.b),
      same: readLabel(record, fields),
    });
  }
  if (pairs.length === 0)
    throw new UsageError(`${quote(path, 200)} has no pairs; expected two texts and a label`);
  checkBothKinds(pairs, path);
  return pairs;
}

/** @throws {UsageError} unless there is a pair that is the same, and one that is not */
export function checkBothKinds(pairs: readonly Pick<LabelledPair, 'same'>[], path: string): void {
  for (const same of [true, false]) {
    if (pairs.some((pair) => pair.same === same)) continue;
    throw new UsageError(
      `of ${formatNoun(pairs.length, 'pair')} in ${quote(path, 200)} none is ${same ? 'the same' : 'different'}; ` +
        'a threshold needs pairs of both kinds',
    );
  }
}

function readLabel(record: FileRecord, { label, sameFrom }: PairFields): boolean {
  if (sameFrom !== null) return numberField(record, label) >= sameFrom;
  const value = record.fields[label];
  // Lets the reader of texts say which fields there are.
  if (value === undefined) textField(record, label);
  const word = String(value).trim().toLowerCase();
  if (SAME.has(word)) return true;
  if (DIFFERENT.has(word)) return false;
  throw new UsageError(
    `${record.place} has the ${quote(label)} ${quote(value)}; expected ${[...SAME].join(', ')} or ` +
      `${[...DIFFERENT].join(', ')}, or a number and --same-from`,
  );
}
