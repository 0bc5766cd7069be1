/** Opens what embeds the texts of a command, as its options ask. */

import type { Precision } from '@embedmill/contract';
import type { Config } from '@embedmill/core/process';
import { readModel, readServer } from '../../commands/embed/request.ts';
import { UsageError } from '../../shell/exit-codes.ts';
import { openLocalEmbedder } from './local.ts';
import { openRemoteEmbedder } from './remote.ts';
import { readTreatment, type TreatmentFlags } from './treatment.ts';
import type { TextEmbedder } from './types.ts';

/** The options, as `embedderOptions` and `treatmentOptions` declare them. */
export interface EmbedderFlags extends TreatmentFlags {
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
  if (url !== null && flags.glossary !== undefined) {
    throw new UsageError(
      '--glossary is for texts of this process; on a server a glossary belongs to a run (leave out --server, or ' +
        'search in the run)',
    );
  }
  const treatment = await readTreatment(flags);
  if (url === null) return openLocalEmbedder({ config, model, precision, treatment, signal });
  return openRemoteEmbedder({ url, apiKey: config.apiKey, model, precision, treatment, signal });
}
