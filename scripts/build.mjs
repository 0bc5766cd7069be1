/** `npm run build`: installs missing packages and compiles changed code. */

import { main } from './lib/main.mjs';
import { setUp } from './lib/setup.mjs';

await main(() => setUp({ model: false }));
