/** The path of the bundled pages, which the producer serves. */

import { fileURLToPath } from 'node:url';

/** Absolute path of the folder with `index.html` and `assets/`; `vite build` creates it. */
export const pagesFolder: string = fileURLToPath(new URL('./pages', import.meta.url));
