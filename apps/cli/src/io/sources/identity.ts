/** Identities of the contents of an input, by which a later command decides whether it may resume. */

import { createHash } from 'node:crypto';
import type { InputIdentity } from './types.ts';

/** An identity of contents that are known by name only; their rows are compared one by one. */
export const UNKNOWN_CONTENTS: InputIdentity = { bytes: 0, sha256: createHash('sha256').digest('hex') };

/** The identity of several sources, in order; of one, its own. */
export function combineIdentities(sources: readonly InputIdentity[]): InputIdentity {
  const [only] = sources;
  if (sources.length === 1 && only !== undefined) return only;
  const hash = createHash('sha256');
  for (const { bytes, sha256 } of sources) hash.update(`${bytes} ${sha256}\n`);
  return { bytes: sources.reduce((sum, { bytes }) => sum + bytes, 0), sha256: hash.digest('hex') };
}
