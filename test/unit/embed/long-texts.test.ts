/** Tests texts over the token limit: how they are split, and what their vectors are. */

import { type Treatment, UNTREATED } from '@embedmill/contract';
import type { Embedder } from '@embedmill/embed';
import { describe, expect, test } from 'vitest';
import { chunksOf, takeChunks } from '../../../packages/embed/src/text/long/chunks.ts';
import { bytesOf, cosine, openBuiltIn, vectorOf } from './models.ts';

/** Returns one token per character other than a space, so that sizes can be counted by eye. */
const perCharacter = (text: string) =>
  [...text.replace(/\s/g, '')].map((character) => character.codePointAt(0)!);
const split = (text: string, room: number) =>
  [...chunksOf(text, room, perCharacter)].map(({ start, end }) => text.slice(start, end));

describe('a long text is split', () => {
  test.each([
    ['at ends of sentences', 'One two. Three four! Five?', 12, ['One two. ', 'Three four! ', 'Five?']],
    ['with as many sentences in a chunk as fit', 'A b. C d. E f. G h.', 7, ['A b. C d. ', 'E f. G h.']],
    ['at ends of Chinese sentences', '电池很好。屏幕呢？不错！', 6, ['电池很好。', '屏幕呢？', '不错！']],
    ['at line breaks', 'no stop here\nnor here', 10, ['no stop here\n', 'nor here']],
    ['within a sentence, between two words', 'alpha beta gamma delta', 10, ['alpha beta ', 'gamma delta']],
    ['within Chinese words only when they alone are too long', '保证金', 2, ['保证', '金']],
    ['never within a character', '𠀀𠀁𠀂', 2, ['𠀀', '𠀁𠀂']],
  ])('%s', (_, text, room, expected) => {
    expect(split(text, room)).toEqual(expected);
  });

  test('into chunks within the limit that together are the text', () => {
    const text = 'Sentences of 真的很多 kinds. '.repeat(50) + 'x'.repeat(500) + '。完！'.repeat(40);
    const chunks = [...chunksOf(text, 40, perCharacter)];
    expect(Math.max(...chunks.map(({ ids }) => ids.length))).toBeLessThanOrEqual(40);
    expect(chunks.map(({ start, end }) => text.slice(start, end)).join('')).toBe(text);
    expect(chunks.flatMap(({ ids }) => ids)).toEqual(perCharacter(text));
  });

  test('into no chunks if it is blank', () => {
    expect(split(' \n\n ', 5)).toEqual([]);
  });

  test('and chunks over the maximum are dropped at the end or the start', () => {
    const text = 'Aaaa. Bbbb. Cccc.';
    const take = (truncate: 'end' | 'start') =>
      takeChunks(chunksOf(text, 6, perCharacter), 2, truncate, text.length);
    expect(take('end').chunks.map(({ start }) => start)).toEqual([0, 6]);
    expect(take('start')).toMatchObject({ chunks: [{ start: 6 }, { start: 12 }], lostTokens: 5 });
    expect(take('end').lostTokens).toBeGreaterThanOrEqual(4);
    expect(takeChunks(chunksOf(text, 6, perCharacter), 3, 'end', text.length).lostTokens).toBe(0);
  });
});

describe('the vector of a long text', () => {
  const MEAN: Treatment<never> = { ...UNTREATED, long: 'mean' };
  const start = 'The kettle boils in two minutes and switches itself off. '.repeat(25);
  const end = 'The parcel came late and the box was open. '.repeat(60);
  const embed = async (embedder: Embedder, text: string, options: Parameters<Embedder['embed']>[3]) => {
    const vector = new Float32Array(embedder.model.dim);
    return { ...(await embedder.embed(text, vector, 0, options)), vector };
  };

  test.each([
    { long: 'mean', weightOf: (tokens: number) => tokens, of: 'by their tokens' },
    { long: 'plain-mean', weightOf: () => 1, of: 'each as much as any other' },
  ] as const)('is with $long the mean of its chunks $of, at length 1, and equal every time', async (way) => {
    const embedder = await openBuiltIn('int8');
    const treatment: Treatment<never> = { ...UNTREATED, long: way.long };
    const outcome = await embed(embedder, start + end, { treatment });
    const chunks = embedder.chunksOf(start + end, treatment);
    expect(outcome).toMatchObject({ verdict: 'ok', lostTokens: 0, chunks: chunks.length });
    expect(chunks.length).toBeGreaterThan(1);

    const expected = new Float64Array(embedder.model.dim);
    for (const { text, tokens } of chunks) {
      const vector = await vectorOf(embedder, text);
      for (const [i, value] of vector.entries()) expected[i]! += way.weightOf(tokens) * value;
    }
    const length = Math.hypot(...expected);
    expect(
      cosine(
        outcome.vector,
        Float32Array.from(expected, (value) => value / length),
      ),
    ).toBeCloseTo(1, 6);
    expect(Math.hypot(...outcome.vector)).toBeCloseTo(1, 5);
    const again = await embed(embedder, start + end, { treatment });
    expect(bytesOf(again.vector)).toBe(bytesOf(outcome.vector));
  });

  test('depends on the end of the text, unlike a truncated one', async () => {
    const embedder = await openBuiltIn('int8');
    const question = await vectorOf(embedder, 'late delivery, damaged box');
    const truncated = await embed(embedder, start + end, {});
    const mean = await embed(embedder, start + end, { treatment: MEAN });
    expect(cosine(mean.vector, question)).toBeGreaterThan(cosine(truncated.vector, question) + 0.1);
  });

  test('has at most N chunks with max-chunks=N: truncated, or failed with truncate: error', async () => {
    const embedder = await openBuiltIn('int8');
    const treatment: Treatment<never> = { ...UNTREATED, long: 'max-chunks=2' };
    const whole = embedder.countTokens(start + end);
    const outcome = await embed(embedder, start + end, { treatment });
    expect(outcome).toMatchObject({ verdict: 'truncated', chunks: 2 });
    expect(outcome.tokens + outcome.lostTokens).toBeGreaterThan(whole * 0.9);
    expect(await embed(embedder, start + end, { treatment, truncate: 'error' })).toMatchObject({
      verdict: 'failed',
      message: 'the text has more than 2 chunks',
    });
  });

  test('has the same bytes for a text within the limit', async () => {
    const embedder = await openBuiltIn('int8');
    const { vector, ...outcome } = await embed(embedder, 'Fits well.', { treatment: MEAN });
    expect(bytesOf(vector)).toBe(bytesOf(await vectorOf(embedder, 'Fits well.')));
    expect(outcome).toEqual({ verdict: 'ok', tokens: 5, lostTokens: 0 });
  });

  test('comes with the offsets of exactly its chunks on request', async () => {
    const embedder = await openBuiltIn('int8');
    const all = embedder.chunksOf(start + end, MEAN).map(({ text, ...span }) => span);
    const asked = { treatment: MEAN, chunkSpans: true };
    expect((await embed(embedder, start + end, asked)).chunkSpans).toEqual(all);
    const lastTwo = { ...UNTREATED, long: 'max-chunks=2' } as const;
    const fromStart = { treatment: lastTwo, chunkSpans: true, truncate: 'start' } as const;
    expect((await embed(embedder, start + end, fromStart)).chunkSpans).toEqual(all.slice(-2));
    // A text that was cut between its tokens has no such offset.
    expect(await embed(embedder, start + end, { chunkSpans: true })).not.toHaveProperty('chunkSpans');
  });

  test('is cancelled when the caller throws between two chunks', async () => {
    const embedder = await openBuiltIn('int8');
    const betweenChunks = () => {
      throw new Error('not wanted');
    };
    await expect(embed(embedder, start + end, { treatment: MEAN, betweenChunks })).rejects.toThrow(
      'not wanted',
    );
  });
});

describe('a prompt', () => {
  const QUERY: Treatment<never> = { ...UNTREATED, prompt: 'query: ' };

  test('is embedded as if it were part of the text', async () => {
    const embedder = await openBuiltIn('int8');
    const vector = new Float32Array(embedder.model.dim);
    await embedder.embed('how long does it last?', vector, 0, { treatment: QUERY });
    expect(bytesOf(vector)).toBe(bytesOf(await vectorOf(embedder, 'query: how long does it last?')));
  });

  test('gives no vector to an empty text, nor to any text if it fills the limit', async () => {
    const embedder = await openBuiltIn('int8');
    const vector = new Float32Array(embedder.model.dim);
    expect(await embedder.embed(' ', vector, 0, { treatment: QUERY })).toMatchObject({ verdict: 'empty' });
    const endless: Treatment<never> = { ...UNTREATED, prompt: 'a '.repeat(300) };
    expect(await embedder.embed('text', vector, 0, { treatment: endless })).toMatchObject({
      verdict: 'failed',
      message: 'the prompt alone fills the limit of 256 tokens of the model',
    });
  });

  test('is kept when the start of a text is cut off', async () => {
    const embedder = await openBuiltIn('int8');
    const ids = embedder.idsOf('word '.repeat(400), QUERY);
    expect(ids.slice(0, 3)).toEqual(embedder.idsOf('', QUERY).slice(0, 3));
    expect(ids).toHaveLength(256);
  });
});
