/** Prepares the built-in model, an added model or a folder; called once per process, on the main thread. */

import { STATIC_MODEL } from '@embedmill/contract';
import { EmbedError } from '../errors.ts';
import type { PreparedModel, PrepareOptions } from '../types.ts';
import { modelFolder } from './added-models.ts';
import { type CompileOptions, prepareBuiltIn } from './built-in.ts';
import { type ChosenEngine, chooseEngine } from './choose-engine.ts';
import { detectWeightLimit } from './cpu.ts';
import { prepareHubFolder } from './hub-folder.ts';
import { isStaticFolder, prepareBuiltInStatic, prepareStaticFolder } from './static-model.ts';

/**
 * Makes a model ready to open. The built-in model is compiled into `cacheDir` if it is missing or damaged
 * there (about a second), else its checksum is verified (about 0.1 s). Several processes may do so at the
 * same time. With `auto` a model that the exact engine does not take runs on ONNX Runtime.
 * @throws {EmbedError} with any code but `EMBEDDER_CLOSED`
 */
export async function prepareModel(options: PrepareOptions): Promise<PreparedModel> {
  const { model, precision, cacheDir, engine = 'auto', kernel = 'auto' } = options;
  const weightLimit = await detectWeightLimit();
  if (model === STATIC_MODEL) return await prepareBuiltInStatic({ precision, cacheDir, weightLimit });
  const folder = model === undefined ? undefined : modelFolder(model, cacheDir);
  if (folder !== undefined && (await isStaticFolder(folder)))
    return await prepareStaticFolder(folder, precision);
  const prepare = (chosen: ChosenEngine): Promise<PreparedModel> => {
    const compile: CompileOptions = { precision, cacheDir, weightLimit, engine: chosen };
    return folder === undefined ? prepareBuiltIn(compile) : prepareHubFolder(folder, compile);
  };
  const chosen = chooseEngine({ engine, kernel, precision });
  if (chosen.engine === 'onnx' || chosen.isRequired) return await prepare(chosen);
  try {
    return await prepare(chosen);
  } catch (error) {
    // A folder that cannot be compiled may have an ONNX file that runs; if not, its error is the better one.
    if (!(error instanceof EmbedError) || !/^MODEL_(UNSUPPORTED|INVALID)$/.test(error.code)) throw error;
    return await prepare({ engine: 'onnx', reason: error.message });
  }
}
