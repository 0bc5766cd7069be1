/** Reads labelled texts, for classification and clustering tasks. */

import { quote } from '@embedmill/contract';
import { readRecords, textField } from '../../io/records/read-records.ts';
import { UsageError } from '../../shell/exit-codes.ts';
import { formatNoun } from '../../shell/terminal/numbers.ts';

/** Texts and their labels, in the same order. */
export interface LabelledSet {
  texts: string[];
  labels: string[];
  /** Number of distinct labels. */
  classes: number;
}

/** Reads records with the fields text and label. @throws {UsageError} for fewer than two distinct labels */
export async function readLabelled(path: string): Promise<LabelledSet> {
  const texts: string[] = [];
  const labels: string[] = [];
  for await (const record of readRecords(path, 'text')) {
    texts.push(textField(record, 'text'));
    const { label } = record.fields;
    labels.push(
      typeof label === 'number' || typeof label === 'bigint' ? String(label) : textField(record, 'label'),
    );
  }
  const classes = new Set(labels).size;
  if (classes < 2) {
    throw new UsageError(
      `${quote(path, 200)} has ${formatNoun(texts.length, 'text')} and ${formatNoun(classes, 'distinct label')}; ` +
        'expected at least 2 labels',
    );
  }
  return { texts, labels, classes };
}
