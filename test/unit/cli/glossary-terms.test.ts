/** Which words and phrases of texts are proposed as terms, with a model whose vocabulary is a few words. */

import { expect, test } from 'vitest';
import { TermCounter } from '../../../apps/cli/src/commands/glossary/terms.ts';

/** Words of the vocabulary; any other Latin word is split into pieces of three letters, any other character is unknown. */
const VOCABULARY = new Set(['fever', 'pain', 'take', 'tablets', 'James', 'the', 'for']);

function countPieces(text: string): { tokens: number; unknown: number } {
  if (VOCABULARY.has(text)) return { tokens: 1, unknown: 0 };
  if (/^[\p{sc=Latin} ]+$/u.test(text)) return { tokens: Math.ceil(text.length / 3), unknown: 0 };
  return { tokens: [...text].length, unknown: [...text].length };
}

function counterOf(texts: readonly string[]): TermCounter {
  const counter = new TermCounter({ countPieces, minPieces: 3 });
  for (const text of texts) counter.add(text);
  return counter;
}

const termsOf = (texts: readonly string[], minTexts = 2) =>
  counterOf(texts)
    .terms(minTexts, new Set())
    .map(({ term, texts: count }) => [term, count]);

test('words in many pieces are terms, most frequent first; known words are not', () => {
  const texts = [
    'take paracetamol for fever',
    'Paracetamol for pain',
    'paracetamol, ibuprofen',
    'ibuprofen tablets',
  ];
  expect(termsOf(texts)).toEqual([
    ['paracetamol', 3],
    ['ibuprofen', 2],
  ]);
  expect(counterOf(texts).terms(1, new Set(['ibuprofen']))).toMatchObject([
    { term: 'paracetamol', count: 3, texts: 3, pieces: 4, unknown: 0, examples: [0, 1, 2] },
  ]);
});

test('a phrase takes the place of its words if they rarely occur without it', () => {
  const texts = ['acute pancreatitis', 'the acute pancreatitis, pancreatitis', 'acute pancreatitis tablets'];
  // "acute" is one of the words in two pieces, which count as known.
  expect(termsOf(texts)).toEqual([['pancreatitis', 3]]);
  const both = ['chronic pancreatitis', 'the chronic pancreatitis', 'chronic pancreatitis for pain'];
  expect(termsOf(both)).toEqual([['chronic pancreatitis', 3]]);
  const apart = ['chronic pancreatitis', 'chronic fever', 'chronic pain', 'pancreatitis', 'the pancreatitis'];
  expect(termsOf(apart)).toEqual([
    ['chronic', 3],
    ['pancreatitis', 3],
  ]);
});

test('words without spaces that are split apart become one term again', () => {
  // ICU has no word 宫颈癌, and makes two of it.
  expect(termsOf(['宫颈癌可以预防', '患者诊断为宫颈癌', '宫颈癌手术'])).toEqual([['宫颈癌', 3]]);
});

test('contractions, possessives, stop words and single characters are not terms', () => {
  expect(termsOf(["James's doesn't", "James doesn't", '的 癌', '的 癌', 'because', 'because'])).toEqual([]);
});

test('known words are those in several texts, without stop words', () => {
  const counter = counterOf(['James, the tablets', 'tablets for pain', 'James: the pain, tablets', 'fever']);
  expect(counter.knownWords(2, 10)).toEqual(['tablets', 'james', 'pain']);
  expect(counter.knownWords(2, 1)).toEqual(['tablets']);
});
