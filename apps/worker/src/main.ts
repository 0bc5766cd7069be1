/** The worker as a process of its own: `node apps/worker/dist/main.js`. */

import { readConfig } from '@embedmill/core';
import { runWorker } from './process.ts';

process.exitCode = await runWorker(readConfig(process.env));
