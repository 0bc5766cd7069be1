/** Which interactive texts share a run of the model. */

import { UNTREATED } from '@embedmill/contract';
import type { CallPart } from '@embedmill/core/redis';
import { describe, expect, it } from 'vitest';
import {
  charsOf,
  type HeldPart,
  MAX_PACK_TEXTS,
  packKeyOf,
  takePack,
} from '../../../apps/worker/src/interactive/pack.ts';

const WORK = {
  kind: 'embed',
  precision: 'int8',
  truncate: 'end',
  treatment: UNTREATED,
  chunkSpans: false,
} as const;

function held(id: string, texts: readonly string[], change: Partial<CallPart> = {}): HeldPart {
  const part: CallPart = { id, texts, work: WORK, deadline: 1, ...change };
  const watched = { signal: new AbortController().signal, end: () => {} };
  const chars = charsOf(texts);
  return { part, message: id, producer: 'p', enqueuedAt: 0, watched, packKey: packKeyOf(part), chars };
}

const idsOf = (parts: readonly HeldPart[]) => parts.map(({ part }) => part.id);

describe('a pack', () => {
  it('takes the oldest part, and later ones with the same options, in order', () => {
    const other = { work: { ...WORK, truncate: 'start' } } as const;
    const waiting = [held('a', ['1']), held('b', ['2'], other), held('c', ['3']), held('d', ['4'], other)];
    expect(idsOf(takePack(waiting))).toEqual(['a', 'c']);
    expect(idsOf(takePack(waiting))).toEqual(['b', 'd']);
    expect(waiting).toEqual([]);
  });

  it('has at most 8 texts and 4,096 characters, unless one part alone has more', () => {
    const many = Array.from({ length: 20 }, (_, i) => held(`${i}`, ['x']));
    expect(takePack(many)).toHaveLength(MAX_PACK_TEXTS);
    const long = [held('a', ['x'.repeat(3000)]), held('b', ['x'.repeat(3000)]), held('c', ['x'])];
    expect(idsOf(takePack(long))).toEqual(['a', 'c']);
    expect(
      idsOf(
        takePack([
          held(
            'a',
            Array.from({ length: 16 }, () => 'x'),
          ),
          held('b', ['x']),
        ]),
      ),
    ).toEqual(['a']);
  });

  it.each([
    ['fp32', { work: { ...WORK, precision: 'fp32' } }],
    ['all chunks of long texts', { work: { ...WORK, treatment: { ...UNTREATED, long: 'mean' } } }],
    ['a glossary', { work: { ...WORK, treatment: { ...UNTREATED, glossary: 'g' } } }],
    ['tokens', { work: { kind: 'tokenize', specialTokens: true } }],
  ] as const)('is never shared by parts with %s', (_name, change) => {
    const waiting = [
      held('a', ['1'], change as Partial<CallPart>),
      held('b', ['2'], change as Partial<CallPart>),
    ];
    expect(idsOf(takePack(waiting))).toEqual(['a']);
  });

  it('is not shared by parts that are pinned to different models', () => {
    const waiting = [
      held('a', ['1'], { fingerprint: 'x' }),
      held('b', ['2']),
      held('c', ['3'], { fingerprint: 'x' }),
    ];
    expect(idsOf(takePack(waiting))).toEqual(['a', 'c']);
  });
});
