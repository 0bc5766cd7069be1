/** Output into a pipe whose reader has ended, as of `embedmill inspect rows.csv | head -1`. */

/** Drops what is written after the reader has ended: the work and its exit code do not depend on it. */
export function ignoreClosedPipe(stream: NodeJS.WriteStream): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
