/** The producer as a process of its own: `node apps/producer/dist/main.js`. */

import { readConfig } from '@embedmill/core/process';
import { runProducer } from './process.ts';

// Everything has ended when this resolves; a timer of a library must not keep the process.
process.exit(await runProducer(readConfig(process.env)));
