/** Prepares a model in every precision that it supports, and tries it: before it is installed, or described. */

import { asError, type Precision } from '@embedmill/contract';
import { Embedder } from '../embedder/embedder.ts';
import { EmbedError } from '../errors.ts';
import type { PreparedModel, PrepareOptions } from '../types.ts';
import { prepareModel } from './prepare-model.ts';

/** An unsupported precision, and why. */
export interface UnavailablePrecision {
  precision: Precision;
  reason: string;
}

/** The result of {@link prepareEach}. */
export interface PreparedPrecisions {
  /** At least one, int8 first. */
  prepared: PreparedModel[];
  unavailable: UnavailablePrecision[];
}

/**
 * Prepares int8 and fp32.
 * @param model name or folder of a model
 * @throws EmbedError when neither is supported, with both reasons if they differ
 */
export async function prepareEach(
  model: string,
  { engine, kernel, cacheDir }: Pick<PrepareOptions, 'engine' | 'kernel' | 'cacheDir'>,
): Promise<PreparedPrecisions> {
  const neither = ([int8, fp32]: readonly { error: Error }[]): Error => {
    const [first, second] = [int8!.error, fp32!.error];
    if (first.message === second.message || !(first instanceof EmbedError)) return first;
    const message = `int8: ${first.message}; fp32: ${second.message}`;
    return new EmbedError(first.code, message, { cause: first });
  };
  const prepared: PreparedModel[] = [];
  const errors: { precision: Precision; error: Error }[] = [];
  for (const precision of ['int8', 'fp32'] as const) {
    try {
      const one = await prepareModel({ model, precision, engine, kernel, cacheDir });
      // A static model is the same in every precision.
      if (prepared.every(({ fingerprint }) => fingerprint !== one.fingerprint)) prepared.push(one);
    } catch (error) {
      errors.push({ precision, error: asError(error) });
    }
  }
  if (prepared.length === 0) throw neither(errors);
  return {
    prepared,
    unavailable: errors.map(({ precision, error }) => ({ precision, reason: error.message })),
  };
}

/**
 * Embeds a sentence in every precision, because a valid file may still fail to run.
 * @throws EmbedError when it does
 */
export async function tryEach(models: readonly PreparedModel[]): Promise<void> {
  for (const model of models) {
    const embedder = await Embedder.open(model);
    try {
      const { verdict, message } = await embedder.embed('The kettle boils.', new Float32Array(model.dim), 0);
      if (verdict !== 'failed') continue;
      throw new EmbedError(
        'MODEL_INVALID',
        `${model.name} ${model.precision} cannot embed a sentence: ${message}`,
      );
    } finally {
      await embedder.close();
    }
  }
}
