/** Which model the producer means when a request names none. */

import { basename } from 'node:path';
import { BUILT_IN_MODEL } from '@embedmill/contract';
import type { Config } from '@embedmill/core/process';

/** The name under which workers with the same settings run their model. */
export function modelOf(config: Pick<Config, 'model'>): string {
  return config.model === undefined ? BUILT_IN_MODEL : basename(config.model);
}
