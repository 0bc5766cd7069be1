/** Classification: do the nearest labelled texts have the right label? */

import { basename } from 'node:path';
import { compareClasses, type Matrix, nearestLabel, pickRows, randomFrom, rowOf } from '@embedmill/analysis';
import { formatCount } from '../../shell/terminal/numbers.ts';
import { readLabelled } from './labelled.ts';
import type { EvalTask } from './types.ts';

/** Neighbours that vote. */
const NEIGHBOURS = 10;

/** One row in so many is classified by the others. */
const TEST_EVERY = 5;

/** Decides which rows are classified; the same for every model. */
const SEED = 1;

/** Classifies a fifth of the rows, drawn by a seed, by the other four. @throws {UsageError} */
export async function openClassification(path: string): Promise<EvalTask> {
  const { texts, labels, classes } = await readLabelled(path);
  const order = randomFrom(SEED).shuffle(texts.map((_, row) => row));
  const asked = order.filter((_, n) => n % TEST_EVERY === 0);
  const known = order.filter((_, n) => n % TEST_EVERY !== 0);
  const labelsOf = (rows: readonly number[]) => rows.map((row) => labels[row]!);
  return {
    kind: 'classification',
    name: basename(path),
    size: `${formatCount(asked.length)} of ${formatCount(texts.length)} texts, ${classes} labels, ${NEIGHBOURS} neighbours`,
    texts: texts.length,
    async run(embedder, onText) {
      const matrix: Matrix = { rows: texts.length, ...(await embedder.embed(texts, onText)) };
      const neighbours = { ...pickRows(matrix, known), labels: labelsOf(known) };
      const found = asked.map((row) => nearestLabel(rowOf(matrix, row), neighbours, NEIGHBOURS));
      const { accuracy, macroF1 } = compareClasses(found, labelsOf(asked));
      return [
        { name: 'accuracy', value: accuracy },
        { name: 'macro F1', value: macroF1 },
      ];
    },
  };
}
