/** `npm run build`: installs and compiles what is missing or changed. */

import { main } from './lib/main.mjs';
import { setUp } from './lib/setup.mjs';

await main(() => setUp({ model: false }));
