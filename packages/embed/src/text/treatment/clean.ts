/** Applies the chosen cleaning steps to a text; part of the treatment in `treatment.ts`. */

import { CLEAN_STEPS, type CleanStep } from '@embedmill/contract';
import { CLEANERS } from './clean-steps.ts';

/**
 * Maximum rounds over all steps. One step may create work for an earlier one (`&amp;lt;`, a tag in full-width
 * letters), so the steps are repeated until nothing changes. Real texts need two rounds, the second without a
 * change; the limit stops texts that are crafted to need more.
 */
const MAX_ROUNDS = 8;

/** Returns a function that applies steps in the order of `CLEAN_STEPS`. It is idempotent. */
export function cleanerOf(steps: readonly CleanStep[]): (text: string) => string {
  const chosen = CLEAN_STEPS.filter((step) => steps.includes(step)).map((step) => CLEANERS[step]);
  if (chosen.length === 0) return (text) => text;
  return (text) => {
    let cleaned = text;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const before = cleaned;
      for (const step of chosen) cleaned = step(cleaned);
      if (cleaned === before) break;
    }
    return cleaned;
  };
}
