/** The life of a worker process; `main.ts` and `embedmill worker` run it. */

import { announce, type Config, runUntilStopped } from '@embedmill/core/process';
import { createLogger } from '@embedmill/core/telemetry';
import { startWorker, type WorkerOptions } from './worker.ts';

/**
 * Runs a worker until it is told to stop.
 * @param options another engine than ours
 * @returns the exit code: 0, or 1 when its inference threads gave up
 */
export async function runWorker(config: Config, options: Omit<WorkerOptions, 'log'> = {}): Promise<number> {
  const log = createLogger(config, 'worker');
  return await runUntilStopped({
    start: () => startWorker(config, { ...options, log }),
    shutdownMs: config.shutdownMs,
    onStarted: ({ url, threads, model, fingerprint }) => {
      log.info({ url, threads, model, fingerprint }, 'worker is ready');
      announce({ ready: true, url });
    },
    onStop: (reason) => {
      if (reason instanceof Error) log.fatal({ reason: reason.message }, 'worker cannot go on');
      else log.info({ reason }, 'worker stops: no new batches, those in work are finished');
    },
  });
}
