/** An interactive lane without workers and Redis that answers at once with hash vectors. */

import type { RowOutcome, TextInput } from '@embedmill/contract';
import type { InteractiveLane } from '@embedmill/core/redis';
import { HASH_DIM, hashVector, judgeHash } from './hash-worker.ts';

/** What a test can change. */
export interface HashLaneOptions {
  /** Called before each answer; it may wait or throw. */
  before?: (texts: readonly TextInput[], signal: AbortSignal | undefined) => Promise<void> | void;
  /** Outcomes of particular texts. */
  outcomes?: Readonly<Record<string, RowOutcome>>;
}

/** The text that stands for token ids. */
const textOf = (text: TextInput): string =>
  typeof text === 'string' ? text : text.length === 0 ? SPECIAL_TOKENS : text.join(' ');

/** Stands for no token ids: the special tokens alone. */
export const SPECIAL_TOKENS = '[CLS] [SEP]';

export function hashLane({ before = () => {}, outcomes = {} }: HashLaneOptions = {}): InteractiveLane {
  return {
    embed: async (given, { signal }) => {
      await before(given, signal);
      const texts = given.map(textOf);
      const vectors = new Float32Array(texts.length * HASH_DIM);
      for (const [i, text] of texts.entries()) vectors.set(hashVector(text), i * HASH_DIM);
      return {
        dim: HASH_DIM,
        vectors,
        outcomes: texts.map((text) => outcomes[text] ?? judgeHash(text)),
        fingerprint: 'ab'.repeat(8),
        timings: { totalMs: 3, queueMs: 1, inferMs: 2 },
      };
    },
    tokenize: async (texts, { specialTokens }) => {
      await before(texts, undefined);
      const word = (text: string, id: number) => ({ id, text, special: false });
      return texts.map((text) => [
        ...(specialTokens ? [{ id: 101, text: '[CLS]', special: true }] : []),
        ...text.split(' ').map((part, i) => word(part, 1000 + i)),
        ...(specialTokens ? [{ id: 102, text: '[SEP]', special: true }] : []),
      ]);
    },
    models: async () => new Map(),
    model: async () => {
      await before([], undefined);
      return { name: 'all-MiniLM-L6-v2', fingerprint: 'ab'.repeat(8), dim: HASH_DIM, maxTokens: 256 };
    },
  };
}
