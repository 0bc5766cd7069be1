/** Tests the index of words against BM25 computed from its definition. */

import { type ScoredRow, TermSplitter, WordIndex } from '@embedmill/analysis';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

/** The result of all steps of a search. */
function searchAll(index: WordIndex, query: string, count = 10, mask: Uint8Array | null = null) {
  const steps = index.search(query, { count, mask });
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

function indexOf(texts: readonly (string | null)[], only: ReadonlySet<string> | null = null): WordIndex {
  const index = new WordIndex(only);
  for (const text of texts) index.add(text);
  return index;
}

/** BM25 with k1 = 1.2 and b = 0.75 over words that are separated by single spaces. */
function scoresOf(texts: readonly string[], query: readonly string[]): ScoredRow[] {
  const rows = texts.map((text) => text.split(' ').filter((word) => word !== ''));
  const average = rows.reduce((sum, words) => sum + words.length, 0) / rows.length;
  const scoreOf = (words: readonly string[]) =>
    [...new Set(query)].reduce((sum, term) => {
      const frequency = words.filter((word) => word === term).length;
      const rowsWith = rows.filter((each) => each.includes(term)).length;
      const weight = Math.log(1 + (rows.length - rowsWith + 0.5) / (rowsWith + 0.5));
      return sum + (weight * frequency * 2.2) / (frequency + 1.2 * (0.25 + (0.75 * words.length) / average));
    }, 0);
  return rows.map((words, row) => ({ row, score: scoreOf(words) })).filter(({ score }) => score > 0);
}

describe('an index of words', () => {
  test('scores rows as BM25 is defined, whole or with the words of one query only', () => {
    const word = fc.constantFrom('red', 'green', 'blue', 'white', 'black');
    const words = fc.array(word, { maxLength: 8 });
    fc.assert(
      fc.property(fc.array(words, { minLength: 1, maxLength: 30 }), words, (rows, query) => {
        const texts = rows.map((each) => each.join(' '));
        const expected = scoresOf(texts, query);
        for (const only of [null, new Set(query)]) {
          const found = searchAll(indexOf(texts, only), query.join(' '), texts.length);
          expect(found.map(({ score }) => score)).toEqual(
            found.map(({ score }) => score).sort((a, b) => b - a),
          );
          const inOrder = [...found].sort((a, b) => a.row - b.row);
          expect(inOrder.map(({ row }) => row)).toEqual(expected.map(({ row }) => row));
          for (const [n, { score }] of inOrder.entries()) expect(score).toBeCloseTo(expected[n]!.score, 4);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('finds rows of all segments, also those added after a search', () => {
    const index = indexOf(Array.from({ length: 70_000 }, (_, row) => (row % 1000 === 7 ? 'needle' : 'hay')));
    expect(searchAll(index, 'needle', 100).map(({ row }) => row)).toEqual(
      Array.from({ length: 70 }, (_, n) => n * 1000 + 7),
    );
    index.add('needle in the hay');
    index.add(null);
    expect(index.rows).toBe(70_002);
    expect(searchAll(index, 'needle in', 1)).toMatchObject([{ row: 70_000 }]);
    // Entries of 16 and 8 bits: about 5 bytes per row of one word.
    expect(index.bytes).toBeLessThan(400_000);
  });

  test('returns only rows of the mask, with the same scores', () => {
    const index = indexOf(['a red coat', 'red', 'a blue coat', 'red red']);
    const all = searchAll(index, 'red coat');
    expect(searchAll(index, 'red coat', 10, Uint8Array.of(1, 0, 1, 0))).toEqual(
      all.filter(({ row }) => row % 2 === 0),
    );
  });

  test('finds words whatever their case, diacritics, possessives and script', () => {
    const index = indexOf([
      'Müller’s CAFÉ',
      "It doesn't start",
      'error 503',
      '我喜欢这个热水壶',
      null,
      'Straße',
    ]);
    for (const [query, row] of Object.entries({
      muller: 0,
      cafe: 0,
      'doesn’t': 1,
      503: 2,
      热水壶: 3,
      STRASSE: 5,
    }))
      expect(searchAll(index, query).map((hit) => hit.row)).toEqual([row]);
    expect(searchAll(index, 'nothing of it, 喜')).toMatchObject([{ row: 1 }]);
  });

  test('names the terms that are not far more common than the rarest one', () => {
    const rows = Array.from({ length: 10 }, (_, row) => (row === 3 ? 'the kettle' : 'the lamp'));
    expect([...indexOf(rows).tellingTerms('The kettle, the teapot')]).toEqual(['kettle']);
    expect([...indexOf(rows).tellingTerms('the')]).toEqual(['the']);
  });
});

test('matches are positions of the words in the text', () => {
  const text = 'Not “Café”, but the café’s door.';
  const found = new TermSplitter().matches(text, new Set(['cafe', 'door']));
  expect(found.map(({ start, end }) => text.slice(start, end))).toEqual(['Café', 'café’s', 'door']);
});
