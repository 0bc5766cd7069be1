/** Runs every task with every model. */

import type { TextEmbedder, TextVectors } from '../../engine/embedder/types.ts';
import type { EvalTask, Measure } from './types.ts';

/** Dependencies of {@link evaluate}. */
export interface EvaluationDeps {
  tasks: readonly EvalTask[];
  /** Functions that open the models; one model is in memory at a time. */
  models: readonly (() => Promise<TextEmbedder>)[];
  /** Called before each task; returns a function that receives the number of texts done. */
  onTask: (task: EvalTask, model: string) => (done: number) => void;
}

/** The results of one task. */
export interface TaskResult {
  kind: EvalTask['kind'];
  name: string;
  size: string;
  /** Measures of each model, in the order of `Evaluation.models`. */
  measures: Measure[][];
}

/** The results of all tasks. Plain JSON. */
export interface Evaluation {
  /** Names of the models. */
  models: string[];
  tasks: TaskResult[];
}

/** Runs the tasks, model by model. */
export async function evaluate({ tasks, models, onTask }: EvaluationDeps): Promise<Evaluation> {
  const evaluation: Evaluation = {
    models: [],
    tasks: tasks.map(({ kind, name, size }) => ({ kind, name, size, measures: [] })),
  };
  for (const open of models) {
    const embedder = await open();
    try {
      evaluation.models.push(embedder.name);
      const cached = cacheLastTexts(embedder);
      for (const [n, task] of tasks.entries()) {
        evaluation.tasks[n]!.measures.push(await task.run(cached, onTask(task, embedder.name)));
      }
    } finally {
      await embedder.close();
    }
  }
  return evaluation;
}

/**
 * Caches the vectors of the last list of texts, because the same file is often both clustered and classified.
 */
function cacheLastTexts(embedder: TextEmbedder): TextEmbedder {
  let last: { texts: readonly string[]; as: string; vectors: TextVectors } | null = null;
  return {
    ...embedder,
    async embed(texts, onText, as = 'text') {
      const isSame =
        last?.as === as &&
        last.texts.length === texts.length &&
        texts.every((text, n) => text === last?.texts[n]);
      if (last !== null && isSame) return last.vectors;
      last = { texts, as, vectors: await embedder.embed(texts, onText, as) };
      return last.vectors;
    },
  };
}
