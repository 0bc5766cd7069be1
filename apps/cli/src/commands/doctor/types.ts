/** The result of a check. */

/** `good`: works; `notice`: works, but with a limitation; `broken`: must be fixed. */
export type Health = 'good' | 'notice' | 'broken';

/** One line of the report. */
export interface Finding {
  health: Health;
  /** What was checked, in one or two words. */
  subject: string;
  /** The result and, unless it is good, what to do. */
  message: string;
}
