/** Opens what embeds the texts of a command, as its options ask. */

import type { Config, Precision } from '@embedmill/core';
import { readModel } from '../embed/request.ts';
import { openLocalEmbedder } from './local.ts';
import type { TextEmbedder } from './types.ts';

/** The options, as `embedderOptions` declares them. */
export interface EmbedderFlags {
  model?: string;
  precision: Precision;
}

/** @throws {UsageError} for an option that cannot be */
export async function openEmbedder(
  flags: EmbedderFlags,
  { config, signal }: { config: Pick<Config, 'model' | 'cacheDir'>; signal: AbortSignal },
): Promise<TextEmbedder> {
  return openLocalEmbedder({ config, model: readModel(flags, config), precision: flags.precision, signal });
}
