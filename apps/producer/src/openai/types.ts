/** What the routes of the OpenAI API need from the producer besides what all routes need. */

import type { CoreService, RouteDeps } from '../http/types.ts';
import type { OpenAiBatchStore } from './batches/batch-store.ts';
import type { FileStore } from './files/file-store.ts';

/** Files and batches of the OpenAI API. */
export interface OpenAiService {
  /** Uploaded files and output files of batches. @throws {UnavailableError} as `runs` */
  files(): FileStore;
  /** @throws {UnavailableError} as `runs` */
  batches(): OpenAiBatchStore;
}

/** Dependencies of the routes of the OpenAI API. */
export interface OpenAiRouteDeps extends RouteDeps {
  service: CoreService & OpenAiService;
}
