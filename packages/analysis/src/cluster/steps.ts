/**
 * Long computations in steps, between which a caller can show progress, handle signals and run other work.
 */

/** Yields the share of the work done, 0 to 1, and returns the result. */
export type Steps<Result> = Generator<number, Result, void>;

/** Runs all steps and returns the result. */
export function finish<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Scales the progress of steps to a range. */
export function* scaledSteps<Result>(steps: Steps<Result>, from: number, to: number): Steps<Result> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    yield from + (to - from) * step.value;
  }
}
