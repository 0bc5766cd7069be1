/** The models that runs may use. */

import type { ScoreBaseline } from './score-baseline.ts';
import type { ModelPrompts } from './treatment.ts';

/** A model that runs may use. What a worker has not announced yet is `null`. */
export interface RunModel {
  name: string;
  /** Whether a connected worker has it; else one loads it when a run asks for it. */
  isLoaded: boolean;
  /** Floats per vector. */
  dim: number | null;
  /** Maximum tokens per text, special tokens included. */
  maxTokens: number | null;
  /** Put before texts by their input type; both are empty for a model without prompts. */
  prompts: ModelPrompts | null;
  /** Scripts of which its vocabulary has words. */
  scripts: readonly string[] | null;
  /** Cosines of its unrelated texts, if they were measured. */
  baseline: ScoreBaseline | null;
}

/** Response of `GET /v1/run-models`. */
export interface RunModels {
  /** Name of the model of runs that name none. */
  default: string;
  models: RunModel[];
}
