/** Runs a producer as a process, for `main.ts` and `embedmill producer`. */

import {
  announce,
  type Config,
  collectGarbageLessOften,
  runUntilStopped,
  settledWithin,
} from '@embedmill/core/process';
import { createLogger } from '@embedmill/core/telemetry';
import { startProducer } from './producer.ts';

/** Maximum wait for the data folder before a parent is told the URL, so that its first request rarely has to be repeated. */
const OPENING_MS = 1_000;

/**
 * Runs a producer until the process is asked to stop.
 * @returns the exit code: 0, or 1 if another producer owns the data folder or the folder cannot be used
 */
export async function runProducer(config: Config): Promise<number> {
  collectGarbageLessOften();
  const log = createLogger(config, 'producer');
  return await runUntilStopped({
    start: () => startProducer(config, { log }),
    shutdownMs: config.shutdownMs,
    onStarted: ({ url, opening }) => {
      log.info({ url, dataDir: config.dataDir }, 'producer is up');
      void settledWithin([opening], OPENING_MS).then(() => announce({ ready: true, url }));
    },
    onStop: (reason) => {
      if (reason instanceof Error) {
        log.fatal({ reason: reason.message }, 'producer cannot continue');
        announce({ ready: false, reason: reason.message });
      } else log.info({ reason }, 'producer is stopping');
    },
  });
}
