/** The life of a producer process; `main.ts` and `embedmill producer` run it. */

import { announce, type Config, whenStopped } from '@embedmill/core/process';
import { createLogger } from '@embedmill/core/telemetry';
import { startProducer } from './producer.ts';

/** Runs a producer until it is told to stop. Resolves with the exit code: 0, or 1 when another producer took its data folder. */
export async function runProducer(config: Config): Promise<number> {
  const log = createLogger(config, 'producer');
  const stopReason = whenStopped();
  const producer = await startProducer(config, { log });
  log.info({ url: producer.url, dataDir: config.dataDir }, 'producer is up');
  announce({ ready: true, url: producer.url });

  const reason = await Promise.race([stopReason, producer.whenBroken]);
  if (reason instanceof Error) log.fatal({ reason: reason.message }, 'producer cannot go on');
  else log.info({ reason }, 'producer stops');
  await producer.stop();
  return reason instanceof Error ? 1 : 0;
}
