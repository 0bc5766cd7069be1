/** The paths of the bundled pages: those that the producer serves, and the page of one map. */

import { fileURLToPath } from 'node:url';

/** Absolute path of the folder with `index.html` and `assets/`; `vite build` creates it. */
export const pagesFolder: string = fileURLToPath(new URL('./pages', import.meta.url));

/**
 * Absolute path of the folder with `map-page.js` and `map-page.css`, from which `embedmill map` makes a page; `vite build`
 * with vite.map-page.config.ts creates it.
 */
export const mapPageFolder: string = fileURLToPath(new URL('./map-page', import.meta.url));
