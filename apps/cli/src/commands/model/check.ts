/** Lets a model embed sentences of ours and looks at what comes out, for `embedmill model check`. */

import type { Precision } from '@embedmill/contract';
import type { PreparedModel } from '@embedmill/embed';

/** Sentences that say nearly the same, each beside one that does not. */
const TRIPLES = [
  ['The train was an hour late.', 'Our train arrived sixty minutes behind time.', 'She paints birds in oil.'],
  ['How do I reset my password?', 'I forgot my password and need a new one.', 'The soup was too salty.'],
  ['The shop closes at six.', 'Opening hours end at 6 pm.', 'A comet passed close to the sun.'],
] as const;

const SENTENCES = TRIPLES.flat();

/** What was seen of one precision. */
export interface ModelCheck {
  precision: Precision;
  /** Problems for people; empty when the model may work. */
  problems: string[];
  /** Sentences embedded twice for equal bytes, and compared with recorded vectors where there are some. */
  sentences: number;
  /** Mean cosine of sentences that say nearly the same, and of unrelated ones. */
  similar: number;
  unrelated: number;
  /** Least cosine between the int8 and the fp32 vector of a sentence; null when the model has only one of them. */
  worstToFp32: number | null;
}

/** Checks every precision of one model. @throws EmbedError when a file cannot be opened */
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
        problems.push(`${JSON.stringify(text)} has a vector of length ${length}, expected 1`);
      }
      vectors.push(vector);
    }
    const at = (n: number) => vectors[n]!;
    const mean = (other: 1 | 2) =>
      TRIPLES.reduce((sum, _, n) => sum + dot(at(3 * n), at(3 * n + other)), 0) / TRIPLES.length;
    const [similar, unrelated] = [mean(1), mean(2)];
    if (!(similar > unrelated)) {
      problems.push(
        `English sentences that say the same have a mean cosine of ${similar.toFixed(3)}, unrelated ones ${unrelated.toFixed(3)}; expected the first to be larger`,
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

/** The cosine, as vectors have length 1. */
function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}
