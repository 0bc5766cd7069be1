/** Which model the producer means when a request names none. */

import { basename } from 'node:path';
import type { Config } from '@embedmill/core';

/** Name of the model that workers have unless they are told otherwise. */
export const BUILT_IN_MODEL = 'all-MiniLM-L6-v2';

/** The name under which workers with the same settings run their model. */
export function modelOf(config: Pick<Config, 'model'>): string {
  return config.model === undefined ? BUILT_IN_MODEL : basename(config.model);
}
