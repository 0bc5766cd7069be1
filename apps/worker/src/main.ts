/** The worker as a process of its own: `node apps/worker/dist/main.js`. */

import { readConfig } from '@embedmill/core/process';
import { runWorker } from './process.ts';

// Everything has ended when this resolves; a timer of a library must not keep the process.
process.exit(await runWorker(readConfig(process.env)));
