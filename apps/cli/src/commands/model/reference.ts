/** Compares a model with reference vectors, such as those of the library it was published with. */

import { readFile } from 'node:fs/promises';
import { type Precision, quote, UNTREATED } from '@embedmill/contract';
import type { Embedder } from '@embedmill/embed';
import { UsageError } from '../../shell/exit-codes.ts';

/** Reference vectors of a model. */
export interface ReferenceSet {
  /** Words before each text. */
  prompt: string;
  texts: { text: string; ids?: readonly number[]; vector: readonly number[] }[];
}

/** The result of a comparison. */
export interface ReferenceReport {
  texts: number;
  /** Texts whose token ids are those of the reference; `null` if it has none. */
  equalIds: number | null;
  minCosine: number;
  meanCosine: number;
}

/**
 * Minimum cosine to a reference vector in float32. int8 differs by the quantization of each model: the least that we
 * measured on real folders was 0.984.
 */
const MIN_COSINE: Record<Precision, number> = { fp32: 0.9999, int8: 0.97 };

/** Reads a file. @throws {UsageError} if it is not `{ "prompt"?, "texts": [{ "text", "ids"?, "vector" }] }` */
export async function readReference(path: string): Promise<ReferenceSet> {
  const invalid = (why: string) => new UsageError(`the reference ${quote(path, 200)} ${why}`);
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw invalid(`cannot be read: ${error.message}`);
  });
  let file: Partial<ReferenceSet>;
  try {
    file = JSON.parse(text);
  } catch {
    throw invalid('is not JSON');
  }
  const { prompt = '', texts = [] } = Object(file) as Partial<ReferenceSet>;
  const isValid =
    Array.isArray(texts) &&
    texts.length > 0 &&
    texts.every((each) => typeof Object(each).text === 'string' && Array.isArray(Object(each).vector));
  if (!isValid || typeof prompt !== 'string') {
    throw invalid(
      'has another form, expected {"prompt":"query: ","texts":[{"text":"…","ids":[…],"vector":[…]}]}',
    );
  }
  return { prompt, texts };
}

/** Embeds the texts of a reference. Returns figures and problems. */
export async function compareReference(
  embedder: Embedder,
  { prompt, texts }: ReferenceSet,
): Promise<{ report: ReferenceReport; problems: string[] }> {
  const { dim, precision } = embedder.model;
  const treatment = { ...UNTREATED, prompt };
  const problems: string[] = [];
  const cosines: number[] = [];
  let equalIds = 0;
  for (const { text, ids, vector } of texts) {
    if (vector.length !== dim) {
      problems.push(
        `the reference of ${quote(text, 60)} has ${vector.length} numbers, the model gives ${dim}`,
      );
      continue;
    }
    const own = new Float32Array(dim);
    await embedder.embed(text, own, 0, { treatment });
    const cosine = cosineOf(own, vector);
    cosines.push(cosine);
    if (!(cosine >= MIN_COSINE[precision])) {
      problems.push(
        `${quote(text, 60)} has cosine ${cosine.toFixed(5)} to its reference, expected ${MIN_COSINE[precision]}`,
      );
    }
    if (ids === undefined) continue;
    const ownIds = embedder.idsOf(text, treatment);
    if (ownIds.join() === ids.join()) equalIds += 1;
    else problems.push(`${quote(text, 60)} has the token ids ${ownIds.join(' ')}, expected ${ids.join(' ')}`);
  }
  const report = {
    texts: texts.length,
    equalIds: texts.some(({ ids }) => ids !== undefined) ? equalIds : null,
    minCosine: cosines.reduce((min, cosine) => Math.min(min, cosine), 1),
    meanCosine: cosines.reduce((sum, cosine) => sum + cosine, 0) / Math.max(1, cosines.length),
  };
  return { report, problems };
}

function cosineOf(a: Float32Array, b: readonly number[]): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (const [i, x] of a.entries()) {
    const y = b[i]!;
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return dot / Math.sqrt(aa * bb);
}
