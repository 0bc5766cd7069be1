/** Says where the built pages are; the producer serves that folder. */

import { fileURLToPath } from 'node:url';

/** Absolute path of the folder with `index.html` and `assets/`, made by `vite build`; missing until then. */
export const pagesFolder: string = fileURLToPath(new URL('./pages', import.meta.url));
