/** Worker process of the benchmark; with BENCH_ENGINE it uses the engine of that module. */

import { readConfig } from '@embedmill/core/process';
import { runWorker } from '@embedmill/worker';

const engine = process.env.BENCH_ENGINE;
process.exitCode = await runWorker(
  readConfig(process.env),
  engine === undefined ? {} : { engineUrl: new URL(engine) },
);
