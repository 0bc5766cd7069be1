/** Packs parts of interactive calls that wait in a worker, so that their texts run through the model together. */

import { type TextInput, UNTREATED } from '@embedmill/contract';
import type { CallPart, WatchedPart } from '@embedmill/core/redis';

/** Maximum texts per pack: enough to fill a run of the model with short texts. */
export const MAX_PACK_TEXTS = 8;

/**
 * Maximum characters per pack, about 1,000 tokens: all parts of a pack are answered together, so a text that takes long must
 * not delay others.
 */
const MAX_PACK_CHARS = 4096;

/** Characters that a token id counts for. */
const CHARS_PER_ID = 6;

/** A part that a worker has taken and not answered. */
export interface HeldPart {
  readonly part: CallPart;
  /** Id of its message. */
  readonly message: string;
  /** Id of the producer that waits for the answer. */
  readonly producer: string;
  /** Milliseconds since 1970, according to Redis. */
  readonly enqueuedAt: number;
  readonly watched: WatchedPart;
  /** Equal for parts whose texts can share a pack; `null` for a part that is alone in its pack. */
  readonly packKey: string | null;
  readonly chars: number;
}

/** Key of the parts that a part can share a pack with; `null` if it must be alone. */
export function packKeyOf({ work, texts, fingerprint }: CallPart): string | null {
  // Only the exact engine, which computes int8, gives the same bytes for a text in any company.
  if (work.kind !== 'embed' || work.precision !== 'int8') return null;
  const { long, glossary } = work.treatment ?? UNTREATED;
  if (texts.length > MAX_PACK_TEXTS || long !== UNTREATED.long || glossary !== null) return null;
  return JSON.stringify([work, fingerprint ?? null]);
}

/** Characters of the texts of a part. */
export function charsOf(texts: readonly TextInput[]): number {
  let chars = 0;
  for (const text of texts) chars += typeof text === 'string' ? text.length : text.length * CHARS_PER_ID;
  return chars;
}

/** Removes the oldest part from `waiting`, and as many others as fit in its pack. @param waiting not empty, oldest first */
export function takePack(waiting: HeldPart[]): HeldPart[] {
  const first = waiting.shift()!;
  const pack = [first];
  if (first.packKey === null) return pack;
  let texts = first.part.texts.length;
  let { chars } = first;
  for (let i = 0; i < waiting.length && texts < MAX_PACK_TEXTS; ) {
    const next = waiting[i]!;
    const fits =
      next.packKey === first.packKey &&
      texts + next.part.texts.length <= MAX_PACK_TEXTS &&
      chars + next.chars <= MAX_PACK_CHARS;
    if (!fits) {
      i += 1;
      continue;
    }
    waiting.splice(i, 1);
    pack.push(next);
    texts += next.part.texts.length;
    chars += next.chars;
  }
  return pack;
}
