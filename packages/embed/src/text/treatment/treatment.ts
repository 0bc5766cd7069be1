/** What is done to a text besides embedding it: the options, and how the embedder reads them. */
import { Glossary, type GlossaryEntry, type ReplacedText } from '../glossary/glossary.ts';
import { cleanerOf } from './clean.ts';
import type { CleanStep } from './clean-steps.ts';

/**
 * What becomes of a text beyond the model's limit: `truncate` drops what is too much; `mean` embeds it in chunks and takes
 * their mean, each by its tokens; `plain-mean` has every chunk count the same; `max-chunks=N` is `mean` of the first N chunks (the
 * last with `truncate: 'start'`) and drops the rest.
 */
export type LongTexts = 'truncate' | 'mean' | 'plain-mean' | `max-chunks=${number}`;

/** Glossaries that an embedder keeps: runs at a time are few. */
const GLOSSARIES = 4;

/** A glossary as it travels: its content once, and what to know it by. */
export interface GlossarySource {
  /** Equal ids have equal contents. */
  id: string;
  /** JSON in UTF-8: a list of `[term, wording]` or `[term, wording, "exact" | "any"]`. */
  content: Uint8Array;
}

/** The treatment of a text: plain data, the same for all rows of a run. Equal treatments of equal texts give equal bytes. */
export interface Treatment {
  /** Steps of cleaning, in any order. */
  clean: readonly CleanStep[];
  long: LongTexts;
  /** Put before every text, and before every chunk of a long one: `query: `. Empty: nothing. */
  prompt: string;
  /** Applied to the cleaned text. */
  glossary: GlossarySource | null;
}

/** Texts as they are. */
export const UNTREATED: Treatment = { clean: [], long: 'truncate', prompt: '', glossary: null };

/** A treatment that is ready to be applied. */
export interface ReadyTreatment {
  apply(text: string): ReplacedText;
  prompt: string;
  /** Chunks that a long text may have; 0: it is truncated. */
  mostChunks: number;
  /** Weight in the mean of a chunk of so many tokens. */
  weightOf(tokens: number): number;
}

/** Reads treatments, each once for many texts; an embedder owns one. */
export class TreatmentReader {
  /** The last glossaries by id: that of 50 000 terms takes a third of a second to read. */
  readonly #glossaries = new Map<string, Glossary>();

  read({ clean, long, prompt, glossary }: Treatment): ReadyTreatment {
    const cleaned = cleanerOf(clean);
    const terms = glossary === null ? null : this.#glossaryOf(glossary);
    return {
      apply: (text) => terms?.apply(cleaned(text)) ?? { text: cleaned(text), replacements: 0 },
      prompt,
      mostChunks: mostChunksOf(long),
      weightOf: (tokens) => (long === 'plain-mean' ? 1 : tokens),
    };
  }

  #glossaryOf({ id, content }: GlossarySource): Glossary {
    const known = this.#glossaries.get(id);
    if (known !== undefined) return known;
    const rows: [string, string, GlossaryEntry['case']?][] = JSON.parse(new TextDecoder().decode(content));
    const glossary = new Glossary(rows.map(([term, wording, rule]) => ({ term, wording, case: rule })));
    const [oldest] = this.#glossaries.keys();
    if (this.#glossaries.size >= GLOSSARIES && oldest !== undefined) this.#glossaries.delete(oldest);
    this.#glossaries.set(id, glossary);
    return glossary;
  }
}

function mostChunksOf(long: LongTexts): number {
  if (long === 'truncate') return 0;
  if (long === 'mean' || long === 'plain-mean') return Number.POSITIVE_INFINITY;
  return Number(long.slice('max-chunks='.length));
}
