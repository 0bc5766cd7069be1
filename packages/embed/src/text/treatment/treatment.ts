/**
 * Prepares the treatment of texts: cleaning, glossary, prompt and the handling of long texts.
 * Decision: docs/decisions/0090.
 */

import {
  type GlossaryTerm,
  type ModelPrompts,
  maxChunks,
  promptOf,
  type StoredGlossary,
  type Treatment,
} from '@embedmill/contract';
import { Glossary, type ReplacedText } from '../glossary/glossary.ts';
import { cleanerOf } from './clean.ts';

/** Maximum glossaries that an embedder keeps: few runs are active at a time. */
const MAX_GLOSSARIES = 4;

/** A treatment that is ready to be applied. */
export interface ReadyTreatment {
  /** Cleans a text and replaces the terms of the glossary. */
  apply(text: string): ReplacedText;
  prompt: string;
  /** Whether a text over the token limit is embedded in chunks instead of truncated. */
  isChunked: boolean;
  /** Maximum chunks per long text. */
  maxChunks: number;
  /** Returns the weight of a chunk in the mean by its number of tokens. */
  weightOf(tokens: number): number;
}

/** Prepares treatments and keeps their glossaries; an embedder owns one. */
export class TreatmentReader {
  /** Recent glossaries by id: a glossary of 50,000 terms takes a third of a second to build. */
  readonly #glossaries = new Map<string, Glossary>();
  readonly #prompts: ModelPrompts;

  /** @param prompts of the model */
  constructor(prompts: ModelPrompts) {
    this.#prompts = prompts;
  }

  /** Returns a treatment that is ready to be applied to many texts. */
  read(treatment: Treatment<StoredGlossary>): ReadyTreatment {
    const { clean, long, glossary } = treatment;
    const cleaned = cleanerOf(clean);
    const replacer = glossary === null ? null : this.#glossaryOf(glossary);
    return {
      apply: (text) => replacer?.apply(cleaned(text)) ?? { text: cleaned(text), replacements: 0 },
      prompt: promptOf(treatment, this.#prompts),
      isChunked: long !== 'truncate',
      maxChunks: maxChunks(long),
      weightOf: (tokens) => (long === 'plain-mean' ? 1 : tokens),
    };
  }

  #glossaryOf({ id, content }: StoredGlossary): Glossary {
    const known = this.#glossaries.get(id);
    if (known !== undefined) return known;
    const rows: GlossaryTerm[] = JSON.parse(new TextDecoder().decode(content));
    const glossary = new Glossary(
      rows.map(([term, wording, rule, language]) => ({ term, wording, case: rule ?? undefined, language })),
    );
    const [oldest] = this.#glossaries.keys();
    if (this.#glossaries.size >= MAX_GLOSSARIES && oldest !== undefined) this.#glossaries.delete(oldest);
    this.#glossaries.set(id, glossary);
    return glossary;
  }
}
