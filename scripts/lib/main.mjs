/** Error handling of the scripts: a failure prints its message without a stack. */

/** Runs `work`; on failure, prints the message to stderr and sets exit code 1. */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}
