/** The version of this software, from its package.json. */

import { createRequire } from 'node:module';

/** As in package.json, for example `0.1.0`. */
export const version: string = createRequire(import.meta.url)('../package.json').version;
