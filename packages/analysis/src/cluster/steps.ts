/** Long computations in steps, so that a caller can show progress, hear signals and give way between them. */

/** Yields the part that is done, 0 to 1, and returns the result. */
export type Steps<Result> = Generator<number, Result, void>;

/** Takes all steps at once. */
export function finish<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
