/** Ends a script with a message instead of a stack when its set-up fails; wraps the whole of every script. */

/** Runs `work`; a failure becomes its message on stderr and exit code 1. */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}
