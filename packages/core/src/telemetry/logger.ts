/**
 * Creates the logger of a process: JSON lines on stderr (stdout is for results), written synchronously so
 * that no line is lost at exit.
 */

import { destination, type Logger, pino } from 'pino';
import type { Config } from '../process/config/config.ts';

/** Creates a logger that adds `role` and the process id to every line. Texts and secrets are never logged. */
export function createLogger(config: Pick<Config, 'logLevel'>, role: string): Logger {
  return pino(
    { level: config.logLevel, base: { role, pid: process.pid } },
    destination({ dest: 2, sync: true }),
  );
}
