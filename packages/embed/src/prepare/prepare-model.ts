/** The entry to preparation: built-in model, added model or folder; called once per process, on the main thread. */
import type { PreparedModel, PrepareOptions } from '../types.ts';
import { modelFolder } from './added-models.ts';
import { prepareBuiltIn } from './built-in.ts';
import { detectWeightLimit } from './cpu.ts';
import { prepareHubFolder } from './hub-folder.ts';

/**
 * Makes a model ready to open. The built-in one is compiled into `cacheDir` when it is not there or damaged (about a
 * second), otherwise checked there (about 0.1 s). Several processes may do it at once.
 * @throws EmbedError with a code other than `EMBEDDER_CLOSED`
 */
export async function prepareModel({ model, precision, cacheDir }: PrepareOptions): Promise<PreparedModel> {
  const weightLimit = await detectWeightLimit();
  const folder = model === undefined ? undefined : modelFolder(model, cacheDir);
  if (folder === undefined) return prepareBuiltIn(precision, cacheDir, weightLimit);
  return prepareHubFolder(folder, { precision, cacheDir, weightLimit });
}
