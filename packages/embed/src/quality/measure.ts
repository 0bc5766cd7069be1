/**
 * Measures a model on the sentences of `sentences.ts`: which languages it relates, and the cosines of unrelated
 * texts, relative to which its scores are shown.
 *
 * Decision: docs/decisions/0177.
 */

import { type ScoreBaseline, UNTREATED } from '@embedmill/contract';
import { Embedder } from '../embedder/embedder.ts';
import type { ModelFactsFile } from '../prepare/added-models.ts';
import type { PreparedModel } from '../types.ts';
import { SENTENCES } from './sentences.ts';

/** How well a model relates the sentences of one language. */
export interface LanguageMeasure {
  language: string;
  /** Sentences of the language, in two wordings each. */
  meanings: number;
  /** Sentences whose nearest second wording is their own. */
  wordings: number;
  /** Sentences whose nearest English sentence is their translation; `null` for English. */
  translations: number | null;
  /** Mean cosine of the two wordings of a meaning. */
  similar: number;
  /** Mean cosine of different meanings. */
  unrelated: number;
}

/** What `measureModel` finds. */
export interface ModelMeasure {
  languages: LanguageMeasure[];
  baseline: ScoreBaseline;
  /** Problems of the vectors, whatever the languages; empty for none. */
  problems: string[];
}

/** Share of wordings found from which on a model is said to relate a language; chance is 1 of 8. */
export const RELATED_SHARE = 0.75;

/** Cosine above which all sentences count as the same. */
const CONSTANT_COSINE = 0.9999;

/** Whether a model relates the sentences of a language. */
export function isRelated({ wordings, meanings }: LanguageMeasure): boolean {
  return wordings >= RELATED_SHARE * meanings;
}

/**
 * Embeds all sentences, which takes about a second for a small model.
 * @param prompt words before each sentence, such as `query: `
 */
export async function measureModel(
  embedder: Pick<Embedder, 'embed'> & { model: Pick<PreparedModel, 'dim'> },
  { prompt = '' } = {},
): Promise<ModelMeasure> {
  const problems: string[] = [];
  const treatment = { ...UNTREATED, prompt };
  const embed = async (text: string): Promise<Float32Array> => {
    const vector = new Float32Array(embedder.model.dim);
    const { verdict, message } = await embedder.embed(text, vector, 0, { treatment });
    const length = Math.sqrt(dot(vector, vector));
    if (verdict === 'failed') problems.push(`${JSON.stringify(text)} failed: ${message}`);
    else if (verdict !== 'empty' && !(Math.abs(length - 1) < 1e-3)) {
      problems.push(`the vector of ${JSON.stringify(text)} has length ${length}, expected 1`);
    }
    return vector;
  };
  const vectors = new Map<string, { first: Float32Array[]; second: Float32Array[] }>();
  for (const [language, sentences] of Object.entries(SENTENCES)) {
    const own = { first: [] as Float32Array[], second: [] as Float32Array[] };
    for (const [first, second] of sentences) {
      own.first.push(await embed(first));
      own.second.push(await embed(second));
    }
    vectors.set(language, own);
  }
  const english = vectors.get('English')!;
  const measured = [...vectors].map(([language, { first, second }]) => {
    const unrelated = crossCosines(first);
    return {
      unrelated,
      measure: {
        language,
        meanings: first.length,
        wordings: nearestOwn(first, second),
        translations: language === 'English' ? null : nearestOwn(first, english.first),
        similar: mean(first.map((vector, i) => dot(vector, second[i]!))),
        unrelated: mean(unrelated),
      },
    };
  });
  const languages = measured.map(({ measure }) => measure);
  if (languages.every(({ unrelated }) => unrelated > CONSTANT_COSINE)) {
    problems.push('all sentences have the same vector');
  } else if (!languages.some(isRelated)) {
    const best = languages.reduce((a, b) => (b.wordings > a.wordings ? b : a));
    problems.push(
      `it relates no language: of ${best.meanings} sentences in ${best.language}, its best, ${best.wordings} are ` +
        `nearest to the same sentence in other words, expected at least ${RELATED_SHARE * best.meanings}`,
    );
  }
  const related = measured.filter(({ measure }) => isRelated(measure));
  const cosines = (related.length > 0 ? related : measured).flatMap(({ unrelated }) => unrelated);
  return { languages, problems, baseline: baselineOf(cosines) };
}

/**
 * Measures a prepared model.
 * @param prompt words before each sentence; by default the prompt of the model for documents
 * @returns its languages and baseline, and the problems of its vectors
 */
export async function measureFacts(
  model: PreparedModel,
  { prompt = '' } = {},
): Promise<ModelFactsFile & { problems: string[] }> {
  const embedder = await Embedder.open(model);
  try {
    const { languages, baseline, problems } = await measureModel(embedder, { prompt });
    return { baseline, languages: languages.filter(isRelated).map(({ language }) => language), problems };
  } finally {
    await embedder.close();
  }
}

function baselineOf(cosines: readonly number[]): ScoreBaseline {
  const middle = mean(cosines);
  const variance = mean(cosines.map((cosine) => (cosine - middle) ** 2));
  const rounded = (value: number) => Math.round(value * 10_000) / 10_000;
  return { mean: rounded(middle), spread: rounded(Math.sqrt(variance)), pairs: cosines.length };
}

/** Cosines of all pairs of different vectors. */
function crossCosines(vectors: readonly Float32Array[]): number[] {
  return vectors.flatMap((a, i) => vectors.slice(i + 1).map((b) => dot(a, b)));
}

/** Number of vectors whose nearest target is the one with their index. */
function nearestOwn(vectors: readonly Float32Array[], targets: readonly Float32Array[]): number {
  return vectors.filter((vector, own) => {
    const cosine = dot(vector, targets[own]!);
    return targets.every((target, i) => i === own || dot(vector, target) < cosine);
  }).length;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The dot product: the cosine of vectors of length 1. */
function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}
