/** Tests the key terms of clusters. */

import { KeyTerms } from '@embedmill/analysis';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

/** Key terms of texts by cluster. */
function termsOf(clusters: readonly (readonly string[])[], stopWords: readonly string[] = []): KeyTerms {
  const terms = new KeyTerms(clusters.length, new Set(stopWords));
  for (const [cluster, texts] of clusters.entries()) for (const text of texts) terms.add(cluster, text);
  return terms;
}

describe('key terms', () => {
  test('are more frequent in the cluster than elsewhere', () => {
    const terms = termsOf(
      [
        ['The kettle and the cord', 'a kettle boils', 'water'],
        ['The towel and the colour', 'a soft towel', 'water'],
      ],
      ['the', 'and'],
    );
    expect(terms.top(2)).toEqual([
      ['kettle', 'boils'],
      ['towel', 'colour'],
    ]);
    expect(terms.top(9).flat()).not.toContain('water');
  });

  test('are in the order of log-odds with the prior of the whole run, over their standard deviation', () => {
    // Counts of rows: kettle 3 and 0, hot 2 and 1, steam 1 and 0; 6 and 4 words; the prior has 5 words.
    const terms = termsOf([
      ['kettle hot', 'hot. kettle', 'kettle. steam'],
      ['hot towel', 'towel', 'cotton'],
    ]);
    const score = (own: number, other: number) => {
      const prior = (5 * (own + other)) / 10;
      const odds = (count: number, words: number) => Math.log((count + prior) / (words + 5 - count - prior));
      return (odds(own, 6) - odds(other, 4)) / Math.sqrt(1 / (own + prior) + 1 / (other + prior));
    };
    expect(score(3, 0)).toBeGreaterThan(score(1, 0));
    expect(score(1, 0)).toBeGreaterThan(score(2, 1));
    expect(terms.top(9)[0]).toEqual(['kettle', 'steam', 'hot']);
  });

  test('of a single cluster are its most frequent ones', () => {
    expect(termsOf([['kettle cord', 'kettle. steam', 'cord. kettle']]).top(2)).toEqual([['kettle', 'cord']]);
  });

  test('count rows, so a text that repeats a word counts once', () => {
    const terms = termsOf([
      ['steam steam steam steam', 'kettle', 'kettle'],
      ['towel', 'towel'],
    ]);
    expect(terms.top(1)[0]).toEqual(['kettle']);
  });

  test('are pairs where words occur mostly together, in place of the words', () => {
    const rate = ['exchange rate', 'the exchange rate', 'wrong exchange rate', 'rate'];
    const terms = termsOf([rate, ['card', 'lost card', 'card exchange']], ['the']);
    expect(terms.top(2)[0]).toEqual(['exchange rate', 'wrong']);
  });

  test('are no pairs across punctuation or stop words', () => {
    const texts = ['exchange. rate', 'exchange, rate', 'exchange the rate', 'exchange: rate'];
    expect(termsOf([texts, ['card']], ['the']).top(3)[0]).toEqual(['exchange', 'rate']);
  });

  test('count a plural as its singular, under the more frequent form', () => {
    const terms = termsOf([
      ['battery', 'batteries', 'batteries', "the battery's lens", 'glass'],
      ['towel. boxes', 'box'],
    ]);
    expect(terms.top(1)).toEqual([['battery'], ['box']]);
  });

  test('occur in at least two rows of a larger cluster, and are not contractions', () => {
    const texts = ['kettle', 'kettle', "don't boil", 'they’ve cords', 'Steam, steam, steam'];
    expect(termsOf([texts, ['towel']]).top(9)[0]).toEqual(['kettle']);
  });

  test('are words even in scripts without spaces', () => {
    const terms = termsOf([['水壶。水壶', '这个水壶很好'], ['a towel']]);
    expect(terms.top(1)).toEqual([['水壶'], ['towel']]);
  });

  test('of one cluster against another leave out what both have', () => {
    const terms = termsOf([
      ['card lost', 'card. lost', 'card'],
      ['card stolen', 'card. stolen', 'card'],
      ['refund', 'refund'],
    ]);
    expect(terms.top(1)[0]).toEqual(['lost']);
    expect(terms.between(0, 1, 9)).toEqual(['lost']);
    expect(terms.between(1, 0, 9)).toEqual(['stolen']);
  });

  test('of groups are those of all their texts', () => {
    const clusters = [['red kettle'], ['blue towel', 'towel'], ['red cord']];
    const grouped = termsOf(clusters).grouped([0, 1, 0], 2);
    expect(grouped.top(9)).toEqual(termsOf([[...clusters[0]!, ...clusters[2]!], clusters[1]!]).top(9));
  });

  test('do not depend on the order of the texts, and do not repeat a word', () => {
    const word = fc.constantFrom('kettle', 'cord', 'towel', 'box', 'boxes', 'steam', 'lid');
    const text = fc.array(word, { minLength: 1, maxLength: 5 }).map((words) => words.join(' '));
    const clusters = fc.array(fc.array(text, { minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(clusters, (given) => {
        const top = termsOf(given).top(5);
        expect(termsOf(given.map((texts) => [...texts].reverse())).top(5)).toEqual(top);
        for (const terms of top) {
          const words = terms.flatMap((term) => term.split(' '));
          expect(new Set(words).size).toBe(words.length);
        }
      }),
    );
  });
});
