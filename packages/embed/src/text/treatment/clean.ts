/** Cleans a text by the steps that were chosen; part of what `treatment.ts` does to it. */
import { CLEAN_STEPS, type CleanStep } from '@embedmill/contract';
import { CLEANERS } from './clean-steps.ts';

/**
 * One step may uncover work for an earlier one (`&amp;lt;`, a tag in full-width letters), so all are applied until nothing
 * changes. Real texts need two rounds, the second of which finds nothing; the limit is for texts that were built to need more.
 */
const MAX_ROUNDS = 8;

/** A function that applies these steps, in the order of `CLEAN_STEPS`. Cleaning what is clean changes nothing. */
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
