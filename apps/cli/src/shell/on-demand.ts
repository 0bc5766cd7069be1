/** Loads libraries that are not installed with Embedmill, because few commands need them and they are large. */

import { UsageError } from './exit-codes.ts';

/**
 * The module that `load` imports.
 * @param purpose start of the message, for example `DuckDB is read`
 * @throws {UsageError} that says how to install it
 */
export async function loadLibrary<Module>(
  purpose: string,
  name: string,
  load: () => Promise<Module>,
): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    if ((cause as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new UsageError(
      `${purpose} with the package ${name}, which is not installed; install it beside Embedmill: ` +
        `npm install ${name} (with -g if Embedmill was installed with -g)`,
      { cause },
    );
  }
}
