/** Entry point of the producer process: `node apps/producer/dist/main.js`. */

import { readConfig } from '@embedmill/core/process';
import { runProducer } from './process.ts';

// Everything is stopped once this resolves; a leftover timer of a library must not keep the process alive.
process.exit(await runProducer(readConfig(process.env)));
