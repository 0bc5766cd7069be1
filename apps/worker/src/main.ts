/** Entry of the worker process: `node apps/worker/dist/main.js`. */

import { readConfig } from '@embedmill/core/process';
import { runWorker } from './process.ts';

// Everything has stopped when this resolves; a leftover timer of a library must not keep the process alive.
process.exit(await runWorker(readConfig(process.env)));
