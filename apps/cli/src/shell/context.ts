/** What every command is given of the process it runs in; nothing else looks at `process.env` or the terminal. */

import type { Readable } from 'node:stream';
import type { Environment } from '@embedmill/core/process';

/** The surroundings of a command. */
export interface CommandContext {
  /** Read by `readConfig`, and handed on to child processes. */
  environment: Environment;
  stdin: Readable;
  /** Results that a program may read. */
  stdout: NodeJS.WriteStream;
  /** Progress, notes and errors. */
  stderr: NodeJS.WriteStream;
}
