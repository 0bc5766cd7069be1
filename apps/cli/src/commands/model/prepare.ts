/** Prepares a model in every precision that it can be run in, for `embedmill model`. */

import { asError, type Precision } from '@embedmill/contract';
import type { Config } from '@embedmill/core/process';
import type { PreparedModel } from '@embedmill/embed';

/** A precision in which the model cannot be run, and why. */
export interface Unavailable {
  precision: Precision;
  reason: string;
}

export interface Preparation {
  /** At least one, int8 first. */
  prepared: PreparedModel[];
  unavailable: Unavailable[];
}

/**
 * @param model name of a model, or a folder
 * @throws EmbedError when the model runs in neither, with the reason of each where they differ
 */
export async function prepareEach(
  model: string,
  { cacheDir }: Pick<Config, 'cacheDir'>,
): Promise<Preparation> {
  const { EmbedError, prepareModel } = await import('@embedmill/embed');
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
      prepared.push(await prepareModel({ model, precision, cacheDir }));
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

/** Embeds a sentence with every precision: a file that was only looked at may still not run. @throws EmbedError */
export async function tryEach(models: readonly PreparedModel[]): Promise<void> {
  const { Embedder, EmbedError } = await import('@embedmill/embed');
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
