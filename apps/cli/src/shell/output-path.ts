/** Checks the paths of outputs before any work starts. */

import { existsSync } from 'node:fs';
import { dirname, extname, resolve } from 'node:path';
import { quote } from '@embedmill/contract';
import { UsageError } from './exit-codes.ts';

/**
 * Checks the extension and the folder of an output.
 * @param extensions those that the command writes, in lower case, with the dot
 * @param what names it in errors
 * @throws {UsageError} for another extension or a missing folder
 */
export function checkOutputPath(path: string, extensions: readonly string[], what = 'output'): void {
  if (!extensions.includes(extname(path).toLowerCase())) {
    const [last, ...others] = extensions.toReversed();
    const list = others.length === 0 ? last : `${others.reverse().join(', ')} or ${last}`;
    throw new UsageError(`the ${what} ${quote(path, 200)} must end in ${list}`);
  }
  const folder = dirname(resolve(path));
  if (!existsSync(folder)) throw new UsageError(`there is no folder ${quote(folder, 200)} for the ${what}`);
}
