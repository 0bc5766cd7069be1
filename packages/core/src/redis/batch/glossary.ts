/** A glossary as it is stored for workers: once, under the hash of its content. */

import { createHash } from 'node:crypto';
import type { GlossaryTerm, StoredGlossary } from '@embedmill/contract';

/**
 * Terms → content (JSON) and id (32 hexadecimal characters). The order matters: of two equal terms the last
 * one wins.
 */
export function storeGlossary(terms: readonly GlossaryTerm[]): StoredGlossary {
  const content = Buffer.from(JSON.stringify(terms));
  return { id: glossaryIdOf(content), content };
}

/** The id of a glossary with this content. */
export function glossaryIdOf(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 32);
}
