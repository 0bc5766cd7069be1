/** Writes docs/configuration.md from the variables that the code reads: `npm run docs:configuration`. */

import { writeFile } from 'node:fs/promises';
import { describeConfig } from '@embedmill/core/process';

await writeFile(new URL('../docs/configuration.md', import.meta.url), describeConfig());
