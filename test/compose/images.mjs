/** Builds both images from the checkout and prints their sizes: `node test/compose/images.mjs`. */

import { buildImages, skipWithoutDocker } from './stack.mjs';

skipWithoutDocker();
console.log(JSON.stringify(buildImages(), null, 2));
