/** Tests the fusion of two rankings. */

import { explainRanks, fuseRanks } from '@embedmill/contract';
import { expect, test } from 'vitest';

const rankingOf = (...rows: number[]) => rows.map((row) => ({ row }));

test('rows of both rankings come first, each adding 1 / (60 + rank)', () => {
  const fused = fuseRanks(rankingOf(5, 3, 8, 1), rankingOf(1, 7, 3));
  // 3: 1/62 + 1/63, 1: 1/64 + 1/61, 5: 1/61, 7: 1/62, 8: 1/63
  expect(fused.map(({ row }) => row)).toEqual([1, 3, 5, 7, 8]);
  expect(fused[0]).toEqual({ row: 1, rank: { vector: 4, words: 1 } });
});

test('equal sums go to the better vector rank, then to the earlier row', () => {
  expect(fuseRanks(rankingOf(9, 2), rankingOf(2, 9)).map(({ row }) => row)).toEqual([9, 2]);
  expect(fuseRanks(rankingOf(9), rankingOf(2)).map(({ row }) => row)).toEqual([9, 2]);
});

test('ranks are explained in words', () => {
  expect(explainRanks({ vector: 3, words: 1 }, ['refund', 'card'])).toBe(
    '3rd nearest by meaning; 1st by words: refund, card',
  );
  expect(explainRanks({ vector: 11, words: null }, [])).toBe('11th nearest by meaning');
  expect(explainRanks({ vector: 102, words: null }, ['card'])).toBe(
    '102nd nearest by meaning; has the words: card',
  );
  expect(explainRanks({ vector: null, words: 2 }, [])).toBe('2nd by words');
  expect(explainRanks({ vector: null, words: 1213 }, ['card'])).toBe('1,213th by words: card');
});
