/** Entry of the worker process: `node apps/worker/dist/main.js`. */

import { readConfig, runProcess } from '@embedmill/core/process';
import { runWorker } from './process.ts';

await runProcess(() => runWorker(readConfig(process.env)));
