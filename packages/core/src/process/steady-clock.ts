/** The time of day as a clock that is never set: for intervals that are also shown as times. */

/** Milliseconds since 1970 according to the machine's clock when the process started; advances with the monotonic clock. */
export function steadyNow(): number {
  return performance.timeOrigin + performance.now();
}
