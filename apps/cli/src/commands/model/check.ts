/** Checks the vectors that a model gives for known sentences. */

import type { Precision, ScoreBaseline } from '@embedmill/contract';
import type { LanguageMeasure, PreparedModel } from '@embedmill/embed';
import { compareReference, type ReferenceReport, type ReferenceSet } from './reference.ts';

/** English sentences, with whose vectors int8 and fp32 are compared. */
const SENTENCES = [
  ...[
    'The train was an hour late.',
    'Our train arrived sixty minutes behind time.',
    'She paints birds in oil.',
  ],
  ...['How do I reset my password?', 'I forgot my password and need a new one.', 'The soup was too salty.'],
  ...['The shop closes at six.', 'Opening hours end at 6 pm.', 'A comet passed close to the sun.'],
];

/** The result for one precision. */
export interface ModelCheck {
  precision: Precision;
  /** Problem descriptions; empty if all checks passed. */
  problems: string[];
  /** Number of sentences embedded twice, and compared with recorded vectors if there are any. */
  sentences: number;
  /** How well the model relates sentences of each language. */
  languages: LanguageMeasure[];
  /** Cosines of unrelated sentences. */
  baseline: ScoreBaseline;
  /** Comparison with `--reference`; `null` without one. */
  reference: ReferenceReport | null;
  /**
   * Minimum cosine similarity of int8 and fp32 vectors of a sentence; null if the model has only one
   * precision.
   */
  worstToFp32: number | null;
}

/** Options of {@link checkPrepared}. */
export interface CheckOptions {
  /** Words before each sentence. */
  prompt: string;
  /** Vectors to compare with; `null` for none. */
  reference: ReferenceSet | null;
}

/** Checks every precision of a model. @throws EmbedError when a file cannot be opened */
export async function checkPrepared(
  models: readonly PreparedModel[],
  options: CheckOptions,
): Promise<ModelCheck[]> {
  const seen: { check: ModelCheck; vectors: Float32Array[] }[] = [];
  for (const model of models) seen.push(await checkOne(model, options));
  const exact = seen.find(({ check }) => check.precision === 'fp32');
  return seen.map(({ check, vectors }) =>
    check.precision === 'int8' && exact
      ? { ...check, worstToFp32: Math.min(...vectors.map((vector, n) => dot(vector, exact.vectors[n]!))) }
      : check,
  );
}

async function checkOne(
  model: PreparedModel,
  { prompt, reference }: CheckOptions,
): Promise<{ check: ModelCheck; vectors: Float32Array[] }> {
  const { checkGolden, Embedder, measureModel } = await import('@embedmill/embed');
  const embedder = await Embedder.open(model);
  try {
    const golden = await checkGolden(embedder);
    const { languages, baseline, problems } = await measureModel(embedder, { prompt });
    const compared = reference === null ? null : await compareReference(embedder, reference);
    const vectors: Float32Array[] = [];
    for (const text of SENTENCES) {
      const vector = new Float32Array(model.dim);
      await embedder.embed(text, vector, 0);
      vectors.push(vector);
    }
    const check: ModelCheck = {
      precision: model.precision,
      problems: [...(golden.ok ? [] : [golden.message]), ...problems, ...(compared?.problems ?? [])],
      sentences: golden.sentences,
      languages,
      baseline,
      reference: compared?.report ?? null,
      worstToFp32: null,
    };
    return { check, vectors };
  } finally {
    await embedder.close();
  }
}

/** The dot product: the cosine of vectors of length 1. */
function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}
