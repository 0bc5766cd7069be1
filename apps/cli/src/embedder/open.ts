/** Opens what embeds the texts of a command, as its options ask. */

import type { Config, Precision } from '@embedmill/core';
import { readModel, readServer } from '../embed/request.ts';
import { openLocalEmbedder } from './local.ts';
import { openRemoteEmbedder } from './remote.ts';
import type { TextEmbedder } from './types.ts';

/** The options, as `embedderOptions` declares them. */
export interface EmbedderFlags {
  server?: string;
  model?: string;
  precision: Precision;
}

/** @throws {UsageError} for an option that cannot be */
export async function openEmbedder(
  flags: EmbedderFlags,
  { config, signal }: { config: Pick<Config, 'model' | 'cacheDir' | 'apiKey'>; signal: AbortSignal },
): Promise<TextEmbedder> {
  const url = readServer(flags.server);
  const model = readModel(flags, config);
  const { precision } = flags;
  if (url === null) return openLocalEmbedder({ config, model, precision, signal });
  return openRemoteEmbedder({ url, apiKey: config.apiKey, model, precision, signal });
}
