/** The log of a process: JSON lines on stderr, so that stdout stays free for results; written at once, so that the last line is out before the process ends. */

import { destination, type Logger, pino } from 'pino';
import type { Config } from '../process/config/index.ts';

/** A logger for one process; `role` stands on every line. Texts and secrets are never given to it. */
export function createLogger(config: Pick<Config, 'logLevel'>, role: string): Logger {
  return pino(
    { level: config.logLevel, base: { role, pid: process.pid } },
    destination({ dest: 2, sync: true }),
  );
}
