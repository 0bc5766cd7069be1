/** Loads the libraries of databases, which are not installed with Embedmill. */

import { UsageError } from '../../../shell/exit-codes.ts';

/**
 * The module that `load` imports.
 * @throws {UsageError} that says how to install it
 */
export async function loadLibrary<Module>(
  database: string,
  name: string,
  load: () => Promise<Module>,
): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    if ((cause as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new UsageError(
      `${database} is read with the package ${name}, which is not installed; install it beside Embedmill: ` +
        `npm install ${name} (with -g if Embedmill was installed with -g)`,
      { cause },
    );
  }
}
