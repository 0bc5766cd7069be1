/** A task of the evaluation, and what comes out of it. */

import type { TextEmbedder } from '../../engine/embedder/types.ts';

/** One figure. */
export interface Measure {
  /** For example `Spearman` or `nDCG@10`. */
  name: string;
  /** −1 to 1; larger is better. */
  value: number;
}

/** A file or folder of examples, read. */
export interface EvalTask {
  kind: 'sts' | 'retrieval' | 'classification' | 'clustering';
  /** Name of its file or folder. */
  name: string;
  /** For people, for example `1,500 pairs`. */
  size: string;
  /** Texts that `run` embeds. */
  texts: number;
  /** @param onText is told how many of its texts are embedded */
  run(embedder: TextEmbedder, onText: (done: number) => void): Promise<Measure[]>;
}
