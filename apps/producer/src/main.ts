/** Entry point of the producer process: `node apps/producer/dist/main.js`. */

import { readConfig, runProcess } from '@embedmill/core/process';
import { runProducer } from './process.ts';

await runProcess(() => runProducer(readConfig(process.env)));
