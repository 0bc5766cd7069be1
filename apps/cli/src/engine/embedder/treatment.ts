/** Reads the treatment options of a command, including its glossary file. */

import type { StoredGlossary, Treatment } from '@embedmill/contract';
import { storeGlossary } from '@embedmill/core/batch';
import { readGlossary } from '../../io/glossary.ts';

/** The options that `treatmentOptions` declares. */
export interface TreatmentFlags extends Pick<Treatment, 'clean' | 'long' | 'prompt'> {
  /** Path of a glossary file. */
  glossary?: string;
}

/** The treatment, with the glossary loaded. @throws {UsageError} for an invalid glossary */
export async function readTreatment({
  clean,
  long,
  prompt,
  glossary,
}: TreatmentFlags): Promise<Treatment<StoredGlossary>> {
  const terms = glossary === undefined ? null : storeGlossary(await readGlossary(glossary));
  return { clean, long, prompt, glossary: terms };
}
