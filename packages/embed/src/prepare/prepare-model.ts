/** Prepares the built-in model, an added model or a folder; called once per process, on the main thread. */

import type { PreparedModel, PrepareOptions } from '../types.ts';
import { modelFolder } from './added-models.ts';
import { prepareBuiltIn } from './built-in.ts';
import { detectWeightLimit } from './cpu.ts';
import { prepareHubFolder } from './hub-folder.ts';

/**
 * Makes a model ready to open. The built-in model is compiled into `cacheDir` if it is missing or damaged
 * there (about a second), else its checksum is verified (about 0.1 s). Several processes may do so at the
 * same time.
 * @throws {EmbedError} with any code but `EMBEDDER_CLOSED`
 */
export async function prepareModel({ model, precision, cacheDir }: PrepareOptions): Promise<PreparedModel> {
  const weightLimit = await detectWeightLimit();
  const folder = model === undefined ? undefined : modelFolder(model, cacheDir);
  if (folder === undefined) return prepareBuiltIn(precision, cacheDir, weightLimit);
  return prepareHubFolder(folder, { precision, cacheDir, weightLimit });
}
