/** Sentence similarity task (STS): correlates cosine similarity with human scores. */

import { basename } from 'node:path';
import { dotOf, type Matrix, pearson, spearman } from '@embedmill/analysis';
import { quote } from '@embedmill/contract';
import { numberField, readRecords, textField } from '../../io/records/read-records.ts';
import { UsageError } from '../../shell/exit-codes.ts';
import { formatNoun } from '../../shell/terminal/numbers.ts';
import type { EvalTask } from './types.ts';

/** Two sentences and their human similarity score. */
export interface StsPair {
  a: string;
  b: string;
  score: number;
}

/**
 * Reads records with the fields a, b and score.
 * @throws {UsageError} for invalid records or fewer than two scores
 */
export async function readStsPairs(path: string): Promise<StsPair[]> {
  const pairs: StsPair[] = [];
  for await (const record of readRecords(path, 'a')) {
    pairs.push({
      a: textField(record, 'a'),
      b: textField(record, 'b'),
      score: numberField(record, 'score'),
    });
  }
  if (pairs.length < 2) {
    throw new UsageError(`${quote(path, 200)} has ${formatNoun(pairs.length, 'pair')}; expected at least 2`);
  }
  if (pairs.every(({ score }) => score === pairs[0]!.score)) {
    throw new UsageError(
      `every pair in ${quote(path, 200)} has the score ${pairs[0]!.score}; a correlation needs different scores`,
    );
  }
  return pairs;
}

/** Opens a file of sentence pairs. @throws {UsageError} as {@link readStsPairs} */
export async function openSts(path: string): Promise<EvalTask> {
  const pairs = await readStsPairs(path);
  return {
    kind: 'sts',
    name: basename(path),
    size: formatNoun(pairs.length, 'pair'),
    texts: pairs.length * 2,
    async run(embedder, onText) {
      const { dim, vectors } = await embedder.embed(
        pairs.flatMap(({ a, b }) => [a, b]),
        onText,
      );
      const matrix: Matrix = { rows: pairs.length * 2, dim, vectors };
      const cosines = pairs.map((_, n) => dotOf(matrix, 2 * n, vectors, (2 * n + 1) * dim));
      const scores = pairs.map(({ score }) => score);
      return [
        { name: 'Spearman', value: spearman(cosines, scores) },
        { name: 'Pearson', value: pearson(cosines, scores) },
      ];
    },
  };
}
