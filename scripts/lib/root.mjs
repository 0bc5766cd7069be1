/** The folder of the checkout. */

import { fileURLToPath } from 'node:url';

/** Absolute path of the folder with the root package.json. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
