/** Worker process of the benchmark; with BENCH_ENGINE it uses the engine of that module. */

import { announce, readConfig, whenStopped } from '@embedmill/core/process';
import { createLogger } from '@embedmill/core/telemetry';
import { startWorker } from '@embedmill/worker';

const config = readConfig(process.env);
const engine = process.env.BENCH_ENGINE;
const stopped = whenStopped();
const worker = await startWorker(config, {
  log: createLogger(config, 'worker'),
  ...(engine === undefined ? {} : { engineUrl: new URL(engine) }),
});
announce({ ready: true, url: worker.url });
await stopped;
await worker.stop();
