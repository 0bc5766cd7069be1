/** A glossary as it travels with a run: stored once under the hash of its content, read by the engine of a worker. */

import { createHash } from 'node:crypto';

/** A term, what stands for it, and whether its capitals must be as written; without a rule, acronyms must. */
export type GlossaryTerm =
  | readonly [term: string, wording: string]
  | readonly [term: string, wording: string, rule: 'exact' | 'any'];

/** Terms of a glossary at most: what the engine was measured with. */
export const MAX_GLOSSARY_TERMS = 50_000;

/** Most characters of a term or of a wording. */
export const MAX_TERM_CHARS = 200;

/** A glossary with its name. */
export interface StoredGlossary {
  /** 32 hexadecimal characters: a hash over the content. */
  id: string;
  /** JSON of `GlossaryTerm[]`, in UTF-8. */
  content: Uint8Array;
}

/** Terms → content and id; the order of terms counts, because of two equal ones the last one wins. */
export function storeGlossary(terms: readonly GlossaryTerm[]): StoredGlossary {
  const content = Buffer.from(JSON.stringify(terms));
  return { id: createHash('sha256').update(content).digest('hex').slice(0, 32), content };
}
