/** What a look at one thing says. */

/** `good` works, `notice` works but is worth knowing, `broken` must be mended. */
export type Health = 'good' | 'notice' | 'broken';

/** One line of the doctor's report. */
export interface Finding {
  health: Health;
  /** What was looked at, one word or two. */
  subject: string;
  /** What was found and, if it is not good, what to do. */
  message: string;
}
