/** The life of a worker process; `main.ts` and `embedmill worker` run it. */

import { announce, type Config, whenStopped } from '@embedmill/core/process';
import { createLogger } from '@embedmill/core/telemetry';
import { startWorker } from './worker.ts';

/** Runs a worker until it is told to stop. Resolves with the exit code: 0, or 1 when its inference threads gave up. */
export async function runWorker(config: Config): Promise<number> {
  const log = createLogger(config, 'worker');
  const stopReason = whenStopped();
  const worker = await startWorker(config, { log });
  log.info(
    { url: worker.url, threads: worker.threads, model: worker.model, fingerprint: worker.fingerprint },
    'worker is ready',
  );
  announce({ ready: true, url: worker.url });

  const reason = await Promise.race([stopReason, worker.whenBroken]);
  if (reason instanceof Error) log.fatal({ reason: reason.message }, 'worker cannot go on');
  else log.info({ reason }, 'worker stops: no new batches, those in work are finished');
  await worker.stop();
  return reason instanceof Error ? 1 : 0;
}
