/** Clustering task: compares unsupervised clusters with labels. */

import { basename } from 'node:path';
import { compareWithLabels, kMeans } from '@embedmill/analysis';
import { formatCount } from '../../shell/terminal/numbers.ts';
import { readLabelled } from './labelled.ts';
import type { EvalTask } from './types.ts';

/**
 * Opens a file of labelled texts. As in MTEB, there are as many clusters as labels.
 * @throws {UsageError} for invalid records
 */
export async function openClustering(path: string): Promise<EvalTask> {
  const { texts, labels, classes } = await readLabelled(path);
  return {
    kind: 'clustering',
    name: basename(path),
    size: `${formatCount(texts.length)} texts, ${classes} labels`,
    texts: texts.length,
    async run(embedder, onText) {
      const matrix = { rows: texts.length, ...(await embedder.embed(texts, onText)) };
      const { assignments } = kMeans(matrix, classes);
      const { vMeasure, homogeneity, completeness } = compareWithLabels(labels, assignments);
      return [
        { name: 'V-measure', value: vMeasure },
        { name: 'homogeneity', value: homogeneity },
        { name: 'completeness', value: completeness },
      ];
    },
  };
}
