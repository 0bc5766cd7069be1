/** Runs every task with every model; `embedmill eval` calls it. */

import type { TextEmbedder, TextVectors } from '../../engine/embedder/types.ts';
import type { EvalTask, Measure } from './types.ts';

/** What an evaluation works with. */
export interface EvaluationDeps {
  tasks: readonly EvalTask[];
  /** Opened one after the other, so that one model is in memory at a time. */
  models: readonly (() => Promise<TextEmbedder>)[];
  /** Told of each task before it is begun. */
  onTask: (task: EvalTask, model: string) => (done: number) => void;
}

/** The figures of one task. */
export interface TaskResult {
  kind: EvalTask['kind'];
  name: string;
  size: string;
  /** Per model, in the order of `Evaluation.models`. */
  measures: Measure[][];
}

/** The figures of all tasks. Plain JSON. */
export interface Evaluation {
  models: string[];
  tasks: TaskResult[];
}

export async function evaluate({ tasks, models, onTask }: EvaluationDeps): Promise<Evaluation> {
  const evaluation: Evaluation = {
    models: [],
    tasks: tasks.map(({ kind, name, size }) => ({ kind, name, size, measures: [] })),
  };
  for (const open of models) {
    const embedder = await open();
    try {
      evaluation.models.push(embedder.name);
      const once = embedOnce(embedder);
      for (const [n, task] of tasks.entries()) {
        evaluation.tasks[n]!.measures.push(await task.run(once, onTask(task, embedder.name)));
      }
    } finally {
      await embedder.close();
    }
  }
  return evaluation;
}

/** The same file is often clustered and classified: a list of texts equal to the one before is not embedded again. */
function embedOnce(embedder: TextEmbedder): TextEmbedder {
  let last: { texts: readonly string[]; as: string; answer: TextVectors } | null = null;
  return {
    ...embedder,
    async embed(texts, onText, as = 'text') {
      const isSame =
        last?.as === as &&
        last.texts.length === texts.length &&
        texts.every((text, n) => text === last?.texts[n]);
      if (last !== null && isSame) return last.answer;
      last = { texts, as, answer: await embedder.embed(texts, onText, as) };
      return last.answer;
    },
  };
}
