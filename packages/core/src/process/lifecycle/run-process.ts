/** Runs the main function of a process; a predictable fault of its start is one sentence on stderr, not a stack trace. */

import { asError, boundMessage, EmbedmillError } from '@embedmill/contract';

/**
 * Ends the process with the exit code that `main` resolves to, or with 1 after printing why it failed. Timers
 * and connections of libraries do not keep the process alive.
 */
export async function runProcess(main: () => Promise<number>): Promise<never> {
  try {
    process.exit(await main());
  } catch (error) {
    process.stderr.write(`embedmill: ${explainFault(error)}\n`);
    process.exit(1);
  }
}

/** An error as one sentence; an unexpected one, which is a bug, with its stack. */
export function explainFault(thrown: unknown): string {
  const error = asError(thrown);
  const { code, syscall, address, port } = error as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
  };
  if (syscall === 'listen') {
    const place = `port ${port} of ${address}`;
    return code === 'EADDRINUSE'
      ? `${place} is in use; choose another one with PORT (0: any free port)`
      : `${place} cannot be opened: ${error.message}`;
  }
  if (error instanceof EmbedmillError) return boundMessage(error.message);
  // Errors of the system name the operation and the path.
  return code === undefined ? (error.stack ?? error.message) : boundMessage(error.message);
}
