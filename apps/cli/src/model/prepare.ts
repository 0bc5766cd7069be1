/** Prepares a model in every precision that it can be run in, for `embedmill model`. */

import { asError, type Config, type Precision } from '@embedmill/core';
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
 * @throws EmbedError of int8, the precision that a worker opens first, when the model runs in neither
 */
export async function prepareEach(
  model: string,
  { cacheDir }: Pick<Config, 'cacheDir'>,
): Promise<Preparation> {
  const { prepareModel } = await import('@embedmill/embed');
  const prepared: PreparedModel[] = [];
  const errors: { precision: Precision; error: Error }[] = [];
  for (const precision of ['int8', 'fp32'] as const) {
    try {
      prepared.push(await prepareModel({ model, precision, cacheDir }));
    } catch (error) {
      errors.push({ precision, error: asError(error) });
    }
  }
  if (prepared.length === 0) throw errors[0]!.error;
  return {
    prepared,
    unavailable: errors.map(({ precision, error }) => ({ precision, reason: error.message })),
  };
}
