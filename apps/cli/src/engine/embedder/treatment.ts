/** How a command treats its own texts, read from its options; `open.ts` and `embedmill eval` call it. */

import type { StoredGlossary, Treatment } from '@embedmill/contract';
import { storeGlossary } from '@embedmill/core/batch';
import { readGlossary } from '../../io/glossary.ts';

/** The options, as `treatmentOptions` declares them. */
export interface TreatmentFlags extends Pick<Treatment, 'clean' | 'long' | 'prompt'> {
  /** Path of a glossary. */
  glossary?: string;
}

/** @throws {UsageError} for a glossary that cannot be used */
export async function readTreatment({
  clean,
  long,
  prompt,
  glossary,
}: TreatmentFlags): Promise<Treatment<StoredGlossary>> {
  const terms = glossary === undefined ? null : storeGlossary(await readGlossary(glossary));
  return { clean, long, prompt, glossary: terms };
}
