/** A glossary as it travels with a run: stored once under the hash of its content, read by the engine of a worker. */

import { createHash } from 'node:crypto';
import type { GlossaryTerm, StoredGlossary } from '@embedmill/contract';

/** Terms → content and id; the order of terms counts, because of two equal ones the last one wins. */
export function storeGlossary(terms: readonly GlossaryTerm[]): StoredGlossary {
  const content = Buffer.from(JSON.stringify(terms));
  return { id: createHash('sha256').update(content).digest('hex').slice(0, 32), content };
}
