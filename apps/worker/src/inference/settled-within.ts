/** Waiting with an end; used when the pool stops. */

/** Waits until all are settled, or the time is up. */
export async function settledWithin(
  promises: readonly Promise<unknown>[],
  deadlineMs: number,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
  });
  await Promise.race([Promise.allSettled(promises), timeUp]);
  clearTimeout(timer);
}
