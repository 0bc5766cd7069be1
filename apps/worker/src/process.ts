/** Runs a worker from start to shutdown; `main.ts` and `embedmill worker` call it. */

import { announce, type Config, whenStopped } from '@embedmill/core/process';
import { createLogger } from '@embedmill/core/telemetry';
import { startWorker } from './worker.ts';

/**
 * Runs a worker until a stop signal. Resolves with the exit code: 0, or 1 if no inference thread can be
 * started.
 */
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
  if (reason instanceof Error) log.fatal({ reason: reason.message }, 'worker failed');
  else log.info({ reason }, 'worker is stopping: it takes no new batches and finishes those in progress');
  await worker.stop();
  return reason instanceof Error ? 1 : 0;
}
