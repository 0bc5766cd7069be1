/** Opens the embedder that the options of a command select: the model in this process, or a producer. */

import type { InputType, Precision } from '@embedmill/contract';
import type { Config } from '@embedmill/core/process';
import { UsageError } from '../../shell/exit-codes.ts';
import { openLocalEmbedder } from './local.ts';
import { type ModelFlags, readModel, readServer, splitPrecision } from './model-options.ts';
import { openRemoteEmbedder } from './remote.ts';
import { readTreatment, type TreatmentFlags } from './treatment.ts';
import type { TextEmbedder } from './types.ts';

/** The options that `embedderOptions` and `treatmentOptions` declare. */
export interface EmbedderFlags extends TreatmentFlags, ModelFlags {
  precision: Precision;
}

/** Dependencies of opening an embedder, and what its texts are used for. */
interface OpenDeps {
  config: Pick<Config, 'model' | 'cacheDir' | 'engine' | 'kernel' | 'apiKey'>;
  inputType: InputType;
  signal: AbortSignal;
}

/**
 * Opens the model of `--rerank`, with the treatment of the first pass and prompts of its own.
 * @param given name or folder, optionally with `@fp32`
 * @throws {UsageError} for options that cannot be combined or used
 */
export async function openReranker(
  given: string,
  { prompt: _, ...flags }: Omit<EmbedderFlags, 'precision'>,
  deps: OpenDeps,
): Promise<TextEmbedder> {
  const { model, precision = 'int8' } = splitPrecision(given);
  return openEmbedder({ ...flags, model, precision }, deps);
}

/**
 * Opens the embedder.
 * @param inputType what the texts are used for
 * @throws {UsageError} for options that cannot be combined or used
 */
export async function openEmbedder(
  flags: EmbedderFlags,
  { config, inputType, signal }: OpenDeps,
): Promise<TextEmbedder> {
  const url = readServer(flags.server);
  const model = readModel(flags, config);
  const { precision } = flags;
  if (url !== null && flags.glossary !== undefined) {
    throw new UsageError(
      '--glossary cannot be used with --server, where a glossary belongs to a run; leave out --server, or search ' +
        'in the run',
    );
  }
  const treatment = await readTreatment(flags, inputType);
  if (url === null) return openLocalEmbedder({ config, model, precision, treatment, signal });
  return openRemoteEmbedder({ url, apiKey: config.apiKey, model, precision, treatment, signal });
}
