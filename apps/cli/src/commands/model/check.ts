/** Checks the vectors that a model gives for known sentences. */

import type { Precision } from '@embedmill/contract';
import type { PreparedModel } from '@embedmill/embed';

/** Triples: two sentences of similar meaning and an unrelated one. */
const TRIPLES = [
  ['The train was an hour late.', 'Our train arrived sixty minutes behind time.', 'She paints birds in oil.'],
  ['How do I reset my password?', 'I forgot my password and need a new one.', 'The soup was too salty.'],
  ['The shop closes at six.', 'Opening hours end at 6 pm.', 'A comet passed close to the sun.'],
] as const;

const SENTENCES = TRIPLES.flat();

/** The result for one precision. */
export interface ModelCheck {
  precision: Precision;
  /** Problem descriptions; empty if all checks passed. */
  problems: string[];
  /** Number of sentences embedded twice, and compared with recorded vectors if there are any. */
  sentences: number;
  /** Mean cosine similarity of sentences with similar meaning. */
  similar: number;
  /** Mean cosine similarity of unrelated sentences. */
  unrelated: number;
  /**
   * Minimum cosine similarity of int8 and fp32 vectors of a sentence; null if the model has only one
   * precision.
   */
  worstToFp32: number | null;
}

/** Checks every precision of a model. @throws EmbedError when a file cannot be opened */
export async function checkPrepared(models: readonly PreparedModel[]): Promise<ModelCheck[]> {
  const seen: { check: ModelCheck; vectors: Float32Array[] }[] = [];
  for (const model of models) seen.push(await checkOne(model));
  const exact = seen.find(({ check }) => check.precision === 'fp32');
  return seen.map(({ check, vectors }) =>
    check.precision === 'int8' && exact
      ? { ...check, worstToFp32: Math.min(...vectors.map((vector, n) => dot(vector, exact.vectors[n]!))) }
      : check,
  );
}

async function checkOne(model: PreparedModel): Promise<{ check: ModelCheck; vectors: Float32Array[] }> {
  const { checkGolden, Embedder } = await import('@embedmill/embed');
  const embedder = await Embedder.open(model);
  try {
    const golden = await checkGolden(embedder);
    const problems = golden.ok ? [] : [golden.message];
    const vectors: Float32Array[] = [];
    for (const text of SENTENCES) {
      const vector = new Float32Array(model.dim);
      const { verdict, message } = await embedder.embed(text, vector, 0);
      const length = Math.sqrt(dot(vector, vector));
      if (verdict !== 'ok') {
        problems.push(`${JSON.stringify(text)} got the verdict ${verdict}${message ? `: ${message}` : ''}`);
      } else if (Math.abs(length - 1) > 1e-3) {
        problems.push(`the vector of ${JSON.stringify(text)} has length ${length}; expected 1`);
      }
      vectors.push(vector);
    }
    const at = (n: number) => vectors[n]!;
    const mean = (other: 1 | 2) =>
      TRIPLES.reduce((sum, _, n) => sum + dot(at(3 * n), at(3 * n + other)), 0) / TRIPLES.length;
    const [similar, unrelated] = [mean(1), mean(2)];
    if (!(similar > unrelated)) {
      problems.push(
        `English sentences of similar meaning have a mean cosine of ${similar.toFixed(3)}, unrelated ones ` +
          `${unrelated.toFixed(3)}; expected the first to be larger`,
      );
    }
    const { precision } = model;
    return {
      check: { precision, problems, sentences: golden.sentences, similar, unrelated, worstToFp32: null },
      vectors,
    };
  } finally {
    await embedder.close();
  }
}

/** The dot product: the cosine of vectors of length 1. */
function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}
