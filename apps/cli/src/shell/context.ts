/** The environment and streams of a command; nothing else reads `process.env` or the terminal. */

import type { Readable } from 'node:stream';
import type { Environment } from '@embedmill/core/process';

/** Process resources of a command. */
export interface CommandContext {
  /** Environment variables, for `readConfig` and child processes. */
  environment: Environment;
  stdin: Readable;
  /** Results. */
  stdout: NodeJS.WriteStream;
  /** Progress, notes and errors. */
  stderr: NodeJS.WriteStream;
}
