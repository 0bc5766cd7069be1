/** The producer as a process of its own: `node apps/producer/dist/main.js`. */

import { readConfig } from '@embedmill/core';
import { runProducer } from './process.ts';

process.exitCode = await runProducer(readConfig(process.env));
