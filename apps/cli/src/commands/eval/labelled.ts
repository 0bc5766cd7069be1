/** Reads texts with a label each, for the tasks of classification and clustering. */

import { quote } from '@embedmill/contract';
import { readRecords, textField } from '../../io/records/read-records.ts';
import { UsageError } from '../../shell/exit-codes.ts';
import { formatNoun } from '../../shell/terminal/numbers.ts';

/** Texts and their labels, row by row. */
export interface LabelledTexts {
  texts: string[];
  labels: string[];
  /** Different labels. */
  classes: number;
}

/** Records with the fields text and label. @throws {UsageError} when there are not two labels at least */
export async function readLabelled(path: string): Promise<LabelledTexts> {
  const texts: string[] = [];
  const labels: string[] = [];
  for await (const record of readRecords(path)) {
    texts.push(textField(record, 'text'));
    const { label } = record.fields;
    labels.push(typeof label === 'number' ? String(label) : textField(record, 'label'));
  }
  const classes = new Set(labels).size;
  if (classes < 2) {
    throw new UsageError(
      `${quote(path, 200)} has ${formatNoun(texts.length, 'text')} and ${formatNoun(classes, 'different label')}; expected at least 2 labels`,
    );
  }
  return { texts, labels, classes };
}
