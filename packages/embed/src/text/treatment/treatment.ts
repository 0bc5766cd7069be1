/** What is done to a text besides embedding it: the options, and how the embedder reads them. */
import { maxChunks, type StoredGlossary, type Treatment } from '@embedmill/contract';
import { Glossary, type GlossaryEntry, type ReplacedText } from '../glossary/glossary.ts';
import { cleanerOf } from './clean.ts';

/** Glossaries that an embedder keeps: runs at a time are few. */
const GLOSSARIES = 4;

/** A treatment that is ready to be applied. */
export interface ReadyTreatment {
  apply(text: string): ReplacedText;
  prompt: string;
  /** Whether a long text is embedded in chunks instead of being truncated. */
  isChunked: boolean;
  /** Maximum chunks per long text. */
  maxChunks: number;
  /** Weight in the mean of a chunk of so many tokens. */
  weightOf(tokens: number): number;
}

/** Reads treatments, each once for many texts; an embedder owns one. */
export class TreatmentReader {
  /** The last glossaries by id: that of 50 000 terms takes a third of a second to read. */
  readonly #glossaries = new Map<string, Glossary>();

  read({ clean, long, prompt, glossary }: Treatment<StoredGlossary>): ReadyTreatment {
    const cleaned = cleanerOf(clean);
    const terms = glossary === null ? null : this.#glossaryOf(glossary);
    return {
      apply: (text) => terms?.apply(cleaned(text)) ?? { text: cleaned(text), replacements: 0 },
      prompt,
      isChunked: long !== 'truncate',
      maxChunks: maxChunks(long),
      weightOf: (tokens) => (long === 'plain-mean' ? 1 : tokens),
    };
  }

  #glossaryOf({ id, content }: StoredGlossary): Glossary {
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
