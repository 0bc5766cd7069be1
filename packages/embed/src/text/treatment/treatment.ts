/** What is done to a text besides embedding it: the options, and how the embedder reads them. */
import { cleanerOf } from './clean.ts';
import type { CleanStep } from './clean-steps.ts';

/**
 * What becomes of a text beyond the model's limit: `truncate` drops what is too much; `mean` embeds it in chunks and takes
 * their mean; `max-chunks=N` does so with the first N chunks (the last with `truncate: 'start'`) and drops the rest.
 */
export type LongTexts = 'truncate' | 'mean' | `max-chunks=${number}`;

/** The treatment of a text: plain data, the same for all rows of a run. Equal treatments of equal texts give equal bytes. */
export interface Treatment {
  /** Steps of cleaning, in any order. */
  clean: readonly CleanStep[];
  long: LongTexts;
  /** Put before every text, and before every chunk of a long one: `query: `. Empty: nothing. */
  prompt: string;
}

/** Texts as they are. */
export const UNTREATED: Treatment = { clean: [], long: 'truncate', prompt: '' };

/** A treatment that is ready to be applied. */
export interface ReadyTreatment {
  apply(text: string): string;
  prompt: string;
  /** Chunks that a long text may have; 0: it is truncated. */
  mostChunks: number;
}

/** Reads a treatment once for many texts. */
export function readyTreatment({ clean, long, prompt }: Treatment): ReadyTreatment {
  return {
    apply: clean.length === 0 ? (text) => text : cleanerOf(clean),
    prompt,
    mostChunks: mostChunksOf(long),
  };
}

function mostChunksOf(long: LongTexts): number {
  if (long === 'truncate') return 0;
  return long === 'mean' ? Number.POSITIVE_INFINITY : Number(long.slice('max-chunks='.length));
}
