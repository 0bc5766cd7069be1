/** A better model decides: over hits of a search, and over candidates for duplicates. */

import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { decideGroups } from '../../../apps/cli/src/commands/dedupe/rerank.ts';
import { rankAgain } from '../../../apps/cli/src/commands/search/rerank.ts';
import type { TextEmbedder } from '../../../apps/cli/src/engine/embedder/types.ts';
import { findTextsOfVectors } from '../../../apps/cli/src/io/texts/stored-texts.ts';
import { vectorFile } from '../../support/vector-file.ts';

/** A vector on the unit circle, for a text that is its angle in degrees; zeros for any other text. */
function vectorOf(text: string): [number, number] {
  const angle = (Number(text) * Math.PI) / 180;
  return text === '' || Number.isNaN(angle) ? [0, 0] : [Math.cos(angle), Math.sin(angle)];
}

/** Embeds angles, and records what it is asked for. */
function anglesEmbedder() {
  const asked: { texts: readonly string[]; as: string }[] = [];
  const embedder: TextEmbedder = {
    name: 'angles',
    async embed(texts, _, as = 'text') {
      asked.push({ texts, as });
      return { dim: 2, vectors: Float32Array.from(texts.flatMap(vectorOf)) };
    },
    close: async () => {},
  };
  return { embedder, asked };
}

const hit = (row: number, score: number) => ({ row, id: `id${row}`, score });

describe('hits of a search', () => {
  test('are ordered by the better model, and keep their first score', async () => {
    const { embedder, asked } = anglesEmbedder();
    const texts = ['60', '10', '10', '30'];
    const ranked = await rankAgain(
      [hit(0, 0.9), hit(1, 0.8), hit(2, 0.7), hit(3, 0.6)],
      '0',
      ({ row }) => texts[row]!,
      embedder,
    );
    // Equal scores keep the order of the first pass.
    expect(ranked.map(({ row, firstScore }) => [row, firstScore])).toEqual([
      [1, 0.8],
      [2, 0.7],
      [3, 0.6],
      [0, 0.9],
    ]);
    expect(ranked[2]!.score).toBeCloseTo(Math.cos(Math.PI / 6), 6);
    expect(asked).toEqual([
      { texts: ['0'], as: 'text' },
      { texts: ['60', '10', '30'], as: 'document' },
    ]);
  });

  test('without a text or a vector are left out; without any text it is an error', async () => {
    const { embedder } = anglesEmbedder();
    const hits = [hit(0, 0.9), hit(1, 0.8), hit(2, 0.7)];
    const ranked = await rankAgain(hits, '0', ({ row }) => [null, 'blank', '5'][row] ?? null, embedder);
    expect(ranked.map(({ row }) => row)).toEqual([2]);
    await expect(rankAgain(hits, '0', () => null, embedder)).rejects.toThrow(
      'none of the 3 candidates has a text; --rerank requires the texts of the vectors',
    );
  });
});

test('duplicates are decided by the better model among rows that have another one near', async () => {
  const { embedder, asked } = anglesEmbedder();
  // First pass: rows 0, 1, 2 are alike, row 3 is alone, rows 4 and 5 are equal.
  const first = ['0', '1', '2', '90', '200', '200'];
  // The better model: 0 and 2 are alike; 4 is like them, and not like 5.
  const better = ['0', '40', '1', '0', '2', '120'];
  const loaded = {
    matrix: { rows: 6, dim: 2, vectors: Float32Array.from(first.flatMap(vectorOf)) },
    ids: first.map((_, row) => `id${row}`),
    numbers: first.map((_, row) => row + 10),
    missing: 0,
  };
  const display = { show: () => {}, note: () => {}, warn: () => {}, end: () => {} };
  const { groups, candidates } = await decideGroups(loaded, Int32Array.of(0, 0, 0, 3, 4, 4), {
    ...{ embedder, display, threshold: 0.99, signal: new AbortController().signal },
    findTexts: async () => (wanted) => better[wanted.row - 10]!,
  });
  expect(candidates).toBe(5);
  expect(asked).toEqual([{ texts: ['0', '40', '1', '2', '120'], as: 'document' }]);
  expect(groups.map((members) => members.map(({ row }) => row))).toEqual([[0, 2, 4]]);
  expect(groups[0]![2]!.cosine).toBeCloseTo(Math.cos(Math.PI / 90), 6);
  expect(groups[0]![2]!.firstCosine).toBeCloseTo(Math.cos((160 * Math.PI) / 180), 6);
});

describe('the texts of a vector file', () => {
  const rows = {
    ids: ['a', 'b', 'c'],
    dim: 1,
    vectors: Float32Array.of(1, 1, 1),
    present: Uint8Array.of(1, 1, 1),
  };
  const ground = {
    config: { maxRowBytes: 1_000_000 },
    stdin: Readable.from([]),
    environment: {},
    signal: new AbortController().signal,
  };
  const file = vectorFile(rows, [{ text: 'x', body: 1 }, { text: null, body: 'y' }, { text: 'z' }]);

  test.each([
    [{}, null, ['x', null, 'z']],
    [{ text: 'body' }, null, [null, 'y', null]],
    [{}, [{ row: 2, id: 'c' }], [null, null, 'z']],
  ])('come from its text column: %j', async (flags, wanted, expected) => {
    const textOf = await findTextsOfVectors(file, flags, ground, wanted);
    expect(rows.ids.map((id, row) => textOf({ row, id }))).toEqual(expected);
  });

  test('are missed with the name of the file and its columns', async () => {
    await expect(findTextsOfVectors(file, { text: 'review' }, ground, null)).rejects.toThrow(
      '"test.npy" has the columns "text", "body" beside its vectors, and no texts in "review"; name the column with --text',
    );
    await expect(findTextsOfVectors(vectorFile(rows, [{}]), {}, ground, null)).rejects.toThrow(
      '"test.npy" has no columns beside its vectors, and no texts in "text"',
    );
  });
});
