/** How texts are treated before they become vectors: an option of runs and of interactive calls, applied in the worker's threads. */

import { createHash } from 'node:crypto';

/** The steps of cleaning in the order of their work; `packages/embed` has the functions of the same names. */
export const CLEAN_STEPS = [
  'html',
  'nfkc',
  'line-breaks',
  'invisible',
  'control',
  'spaces',
  'white-space',
  'final-punctuation',
] as const;

/** The name of a step. */
export type CleanStep = (typeof CLEAN_STEPS)[number];

/**
 * What becomes of a text beyond the model's limit: `truncate` drops what is too much; `mean` embeds it in chunks and takes
 * their mean, each by its tokens; `plain-mean` has every chunk count the same; `max-chunks=N` is `mean` of N chunks at most and drops
 * the rest.
 */
export type LongTexts = 'truncate' | 'mean' | 'plain-mean' | `max-chunks=${number}`;

/** The ways to write `LongTexts`; at most 9999 chunks. */
export const LONG_TEXTS = /^(truncate|mean|plain-mean|max-chunks=[1-9]\d{0,3})$/;

/** Most characters of a prompt. */
export const MAX_PROMPT_CHARS = 500;

/** What is done to every text of a run. Plain data. */
export interface Treatment {
  /** In the order of `CLEAN_STEPS`, each once. */
  clean: readonly CleanStep[];
  long: LongTexts;
  /** Put before every text; empty: nothing. */
  prompt: string;
  /** Id of the glossary whose terms are replaced; its content is stored once. `null`: none. */
  glossary: string | null;
}

/** Texts as they are: the default, and what was done before there was a choice. */
export const UNTREATED: Treatment = { clean: [], long: 'truncate', prompt: '', glossary: null };

/** Part of the fingerprint: to be raised whenever a step, the glossary or the splitting of long texts gives other results than before. */
const REVISION = 2;

/** The treatment among other options, with its steps in order. */
export function treatmentOf({ clean, long, prompt, glossary }: Treatment): Treatment {
  return { clean: CLEAN_STEPS.filter((step) => clean.includes(step)), long, prompt, glossary };
}

/**
 * The fingerprint of vectors: equal means that they may be compared. That of the model as long as texts are untreated, so
 * that vectors made before there was a choice keep theirs.
 * @param model fingerprint of the model, 16 hexadecimal characters
 * @returns 16 hexadecimal characters
 */
export function vectorFingerprint(model: string, treatment: Treatment): string {
  const canonical = JSON.stringify(treatmentOf(treatment));
  if (canonical === JSON.stringify(UNTREATED)) return model;
  return createHash('sha256').update(`${model} ${REVISION} ${canonical}`).digest('hex').slice(0, 16);
}
