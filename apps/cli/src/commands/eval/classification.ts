/** Classification task: predicts labels from the nearest labelled texts. */

import { basename } from 'node:path';
import { compareClasses, type Matrix, nearestLabel, pickRows, randomFrom, rowOf } from '@embedmill/analysis';
import { formatCount } from '../../shell/terminal/numbers.ts';
import { readLabelled } from './labelled.ts';
import type { EvalTask } from './types.ts';

/** Nearest neighbours that vote. */
const NEIGHBOURS = 10;

/** Every fifth row is a test row; the others are training rows. */
const TEST_EVERY = 5;

/** Random seed of the split, the same for every model. */
const SEED = 1;

/**
 * Opens a file of labelled texts. A random fifth is classified by the rest.
 * @throws {UsageError} for invalid records
 */
export async function openClassification(path: string): Promise<EvalTask> {
  const { texts, labels, classes } = await readLabelled(path);
  const order = randomFrom(SEED).shuffle(texts.map((_, row) => row));
  const test = order.filter((_, n) => n % TEST_EVERY === 0);
  const training = order.filter((_, n) => n % TEST_EVERY !== 0);
  const labelsOf = (rows: readonly number[]) => rows.map((row) => labels[row]!);
  return {
    kind: 'classification',
    name: basename(path),
    size: `${formatCount(test.length)} of ${formatCount(texts.length)} texts, ${classes} labels, ${NEIGHBOURS} neighbours`,
    texts: texts.length,
    async run(embedder, onText) {
      const matrix: Matrix = { rows: texts.length, ...(await embedder.embed(texts, onText)) };
      const neighbours = { ...pickRows(matrix, training), labels: labelsOf(training) };
      const predicted = test.map((row) => nearestLabel(rowOf(matrix, row), neighbours, NEIGHBOURS));
      const { accuracy, macroF1 } = compareClasses(predicted, labelsOf(test));
      return [
        { name: 'accuracy', value: accuracy },
        { name: 'macro F1', value: macroF1 },
      ];
    },
  };
}
