/** Messages between `load-in-thread.ts` (main thread) and `load-thread.ts`, which pulls and prepares a model. */

import type { Precision, SerializedError } from '@embedmill/contract';
import type { Config } from '@embedmill/core/process';
import type { AnnouncedModel, PreparedModel, SharedTokenizer } from '@embedmill/embed';

/** The settings that loading a model needs; plain data. */
export type LoadSettings = Pick<
  Config,
  'cacheDir' | 'engine' | 'kernel' | 'hubEndpoint' | 'hubToken' | 'isHubOffline' | 'hubHome' | 'hubCache'
>;

/** `workerData`, passed when the thread starts. */
export interface LoadRequest {
  settings: LoadSettings;
  /** Name under which the model is or will be installed. */
  model: string;
  precision: Precision;
  /** Name on the hub to pull it from if it is not installed; `null` to refuse then. */
  source: string | null;
}

/** A model that is ready to open. */
export interface LoadedModel {
  prepared: PreparedModel;
  description: AnnouncedModel;
  tokenizer: SharedTokenizer | undefined;
}

/** A message from the thread; the last one is `loaded` or `failed`. */
export type LoadMessage =
  | { kind: 'progress'; doing: string }
  | ({ kind: 'loaded' } & LoadedModel)
  | { kind: 'failed'; error: SerializedError };
