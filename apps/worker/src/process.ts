/** Runs a worker from start to shutdown; `main.ts` and `embedmill worker` call it. */

import { announce, type Config, collectGarbageLessOften, runUntilStopped } from '@embedmill/core/process';
import { createLogger } from '@embedmill/core/telemetry';
import { startWorker, type WorkerOptions } from './worker.ts';

/**
 * Runs a worker until a stop signal.
 * @param options a different engine, for tests
 * @returns the exit code: 0, or 1 if no inference thread can be started
 */
export async function runWorker(config: Config, options: Omit<WorkerOptions, 'log'> = {}): Promise<number> {
  collectGarbageLessOften();
  const log = createLogger(config, 'worker');
  return await runUntilStopped({
    start: () => startWorker(config, { ...options, log }),
    shutdownMs: config.shutdownMs,
    onStarted: ({ url, threads, model, fingerprint, engine }) => {
      log.info({ url, threads, model, fingerprint, engine }, 'worker is ready');
      announce({ ready: true, url });
    },
    onStop: (reason) => {
      if (reason instanceof Error) log.fatal({ reason: reason.message }, 'worker failed');
      else log.info({ reason }, 'worker is stopping: it takes no new batches and finishes those in progress');
    },
  });
}
