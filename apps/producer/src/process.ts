/** Runs a producer as a process, for `main.ts` and `embedmill producer`. */

import { announce, type Config, whenStopped } from '@embedmill/core/process';
import { createLogger } from '@embedmill/core/telemetry';
import { startProducer } from './producer.ts';

/**
 * Runs a producer until the process is asked to stop.
 * @returns the exit code: 0, or 1 if another producer owns the data folder or the folder cannot be used
 */
export async function runProducer(config: Config): Promise<number> {
  const log = createLogger(config, 'producer');
  const stopReason = whenStopped();
  const producer = await startProducer(config, { log });
  log.info({ url: producer.url, dataDir: config.dataDir }, 'producer is up');
  announce({ ready: true, url: producer.url });

  const reason = await Promise.race([stopReason, producer.whenBroken]);
  if (reason instanceof Error) log.fatal({ reason: reason.message }, 'producer cannot continue');
  else log.info({ reason }, 'producer is stopping');
  await producer.stop();
  return reason instanceof Error ? 1 : 0;
}
