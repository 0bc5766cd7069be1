/** Reads the treatment options of a command, including its glossary file. */

import type { InputType, StoredGlossary, Treatment } from '@embedmill/contract';
import { storeGlossary } from '@embedmill/core/batch';
import { readGlossary } from '../../io/glossary.ts';

/** The options that `treatmentOptions` declares. */
export interface TreatmentFlags extends Pick<Treatment, 'clean' | 'long'> {
  /** Instead of the prompt of the model; empty for none. */
  prompt?: string;
  /** Path of a glossary file. */
  glossary?: string;
}

/**
 * The treatment, with the glossary loaded.
 * @param inputType what the texts are used for
 * @throws {UsageError} for an invalid glossary
 */
export async function readTreatment(
  { clean, long, prompt, glossary }: TreatmentFlags,
  inputType: InputType,
): Promise<Treatment<StoredGlossary>> {
  const terms = glossary === undefined ? null : storeGlossary(await readGlossary(glossary));
  return { clean, long, ...readPrompt(prompt, inputType), glossary: terms };
}

/** The prompt of `--prompt`, or that of the model for the input type. */
export function readPrompt(
  prompt: string | undefined,
  inputType: InputType,
): Pick<Treatment, 'prompt' | 'inputType'> {
  return prompt === undefined ? { prompt: '', inputType } : { prompt, inputType: 'none' };
}
