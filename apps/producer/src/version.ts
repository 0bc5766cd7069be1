/** The version of the producer. */

import { createRequire } from 'node:module';

/** The version in package.json, for example `0.1.0`. */
export const PRODUCER_VERSION: string = createRequire(import.meta.url)('../package.json').version;
