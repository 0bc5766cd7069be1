/** The port to evaluation tasks. */

import type { TextEmbedder } from '../../engine/embedder/types.ts';

/** One measure. */
export interface Measure {
  /** For example `Spearman` or `nDCG@10`. */
  name: string;
  /** From −1 to 1; larger is better. */
  value: number;
}

/** A task with its data loaded. */
export interface EvalTask {
  kind: 'sts' | 'retrieval' | 'classification' | 'clustering';
  /** Name of its file or folder. */
  name: string;
  /** Size of the data, for example `1,500 pairs`. */
  size: string;
  /** Number of texts that `run` embeds. */
  texts: number;
  /** Embeds the texts and computes the measures. @param onText receives the number of texts done */
  run(embedder: TextEmbedder, onText: (done: number) => void): Promise<Measure[]>;
}
