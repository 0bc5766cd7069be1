/** Evaluation tasks with known vectors, so that the expected measures can be calculated by hand. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openClassification } from '../../../apps/cli/src/commands/eval/classification.ts';
import { openClustering } from '../../../apps/cli/src/commands/eval/clustering.ts';
import { evaluate } from '../../../apps/cli/src/commands/eval/evaluate.ts';
import { markdownOf } from '../../../apps/cli/src/commands/eval/markdown.ts';
import { openRetrieval } from '../../../apps/cli/src/commands/eval/retrieval.ts';
import { openSts } from '../../../apps/cli/src/commands/eval/sts.ts';
import type { TextEmbedder } from '../../../apps/cli/src/engine/embedder/types.ts';
import { jsonLines } from '../../support/embedmill.ts';
import { temporaryFolder } from '../../support/folder.ts';

/** A text that begins with a number of degrees points there: `30 anything`. */
function compass(): TextEmbedder & { embedded: number } {
  return {
    name: 'compass',
    embedded: 0,
    async embed(texts, onText = () => {}) {
      this.embedded += texts.length;
      const angles = texts.map((text) => (Number.parseFloat(text) * Math.PI) / 180);
      onText(texts.length);
      return {
        dim: 2,
        vectors: Float32Array.from(angles.flatMap((angle) => [Math.cos(angle), Math.sin(angle)])),
      };
    },
    close: async () => {},
  };
}

/** Writes a file and gives its path. */
function fileOf(name: string, rows: readonly unknown[], folder = temporaryFolder()): string {
  const path = join(folder, name);
  writeFileSync(path, jsonLines(rows));
  return path;
}

/** Four texts near 0° and four near 90°, labelled so. */
const labelled = [0, 3, 6, 9, 81, 84, 87, 90].map((degrees) => ({
  text: `${degrees} degrees`,
  label: degrees < 45 ? 'east' : 'north',
}));

test('STS correlates cosines with scores', async () => {
  const path = fileOf('pairs.jsonl', [
    { a: '0', b: '10', score: 5 },
    { a: '0', b: '40', score: 3 },
    { a: '0', b: '80', score: 4 },
  ]);
  const task = await openSts(path);
  // Ranks of cosines 2 1 0, of scores 2 0 1: deviations give 1 / 2.
  expect(await task.run(compass(), () => {})).toMatchObject([
    { name: 'Spearman', value: expect.closeTo(0.5, 6) },
    { name: 'Pearson', value: expect.any(Number) },
  ]);
});

test('retrieval ranks the documents of a BEIR folder for each judged query', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'qrels'));
  const documents = [0, 20, 40].map((degrees) => ({
    _id: `d${degrees}`,
    title: `${degrees}`,
    text: 'a title and a text',
  }));
  fileOf('corpus.jsonl', documents, folder);
  fileOf(
    'queries.jsonl',
    [
      { _id: 'q1', text: '2' },
      { _id: 'unjudged', text: '90' },
    ],
    folder,
  );
  writeFileSync(join(folder, 'qrels/test.tsv'), 'query-id\tcorpus-id\tscore\nq1\td20\t1\nq1\td40\t0\n');
  const task = await openRetrieval(folder);
  expect(task.size).toBe('1 query, 3 documents');
  // d20 is second: 1 / log2(3) of an ideal 1.
  expect(await task.run(compass(), () => {})).toEqual([
    { name: 'nDCG@10', value: expect.closeTo(1 / Math.log2(3), 6) },
    { name: 'recall@10', value: 1 },
    { name: 'recall@100', value: 1 },
  ]);
});

/** A BEIR folder; a text is the degrees in its id. */
function beirFolder(corpus: string[], queries: string[], judgements: string[]): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'qrels'));
  const rows = (ids: string[]) => ids.map((_id) => ({ _id, text: _id.slice(1) }));
  fileOf('corpus.jsonl', rows(corpus), folder);
  fileOf('queries.jsonl', rows(queries), folder);
  writeFileSync(join(folder, 'qrels/test.tsv'), ['query-id\tcorpus-id\tscore', ...judgements, ''].join('\n'));
  return folder;
}

test('a relevant document missing from the corpus counts as not found, and is reported', async () => {
  const judgements = ['q1\td2\t1', 'q1\td77\t1', 'gone\td2\t1'];
  const task = await openRetrieval(beirFolder(['d2', 'd40'], ['q1'], judgements));
  expect(task.size).toBe('1 query, 2 documents; 2 judgements of unknown texts');
  expect(await task.run(compass(), () => {})).toEqual([
    { name: 'nDCG@10', value: expect.closeTo(1 / (1 + 1 / Math.log2(3)), 6) },
    { name: 'recall@10', value: 0.5 },
    { name: 'recall@100', value: 0.5 },
  ]);
});

test('a query that is also a document does not displace another document', async () => {
  // The document that is relevant is the farthest of a hundred others.
  const ids = Array.from({ length: 101 }, (_, n) => `d${n}`);
  const task = await openRetrieval(beirFolder(ids, ['d0'], ['d0\td100\t1']));
  expect((await task.run(compass(), () => {}))[2]).toEqual({ name: 'recall@100', value: 1 });
});

test('documents are embedded as documents, even if the same texts were queries before', async () => {
  const embedder = compass();
  const seen: string[] = [];
  const evaluation = evaluate({
    tasks: [await openRetrieval(beirFolder(['d1'], ['q1'], ['q1\td1\t1']))],
    models: [
      async () => ({
        ...embedder,
        embed(texts, onText, as) {
          seen.push(`${texts} as ${as}`);
          return embedder.embed(texts, onText);
        },
      }),
    ],
    onTask: () => () => {},
  });
  await evaluation;
  expect(seen).toEqual(['1 as document', '1 as text']);
});

test('classification and clustering find separable labels, and embed the texts once', async () => {
  const path = fileOf('labelled.jsonl', labelled);
  const embedder = compass();
  const evaluation = await evaluate({
    tasks: [await openClassification(path), await openClustering(path)],
    models: [async () => embedder],
    onTask: () => () => {},
  });
  expect(embedder.embedded).toBe(labelled.length);
  expect(evaluation.tasks.map(({ measures }) => measures[0]![0])).toEqual([
    { name: 'accuracy', value: 1 },
    { name: 'V-measure', value: expect.closeTo(1, 6) },
  ]);
});

test('the table has a column per model', async () => {
  const models = [async () => compass(), async () => ({ ...compass(), name: 'other' })];
  const evaluation = await evaluate({
    tasks: [await openClassification(fileOf('l.jsonl', labelled))],
    models,
    onTask: () => () => {},
  });
  expect(markdownOf(evaluation)).toEqual([
    '| task           | data                                           | measure  | compass |  other |',
    '| ---            | ---                                            | ---      |     --: |    --: |',
    '| classification | l.jsonl: 2 of 8 texts, 2 labels, 10 neighbours | accuracy |  1.0000 | 1.0000 |',
    '|                |                                                | macro F1 |  1.0000 | 1.0000 |',
  ]);
});

describe('invalid data', () => {
  test.each([
    [
      'one pair',
      () => openSts(fileOf('p.jsonl', [{ a: 'x', b: 'y', score: 1 }])),
      'has 1 pair; expected at least 2',
    ],
    [
      'a pair without a score',
      () => openSts(fileOf('p.jsonl', [{ a: 'x', b: 'y' }])),
      'p.jsonl:1 has the "score" undefined',
    ],
    [
      'one label',
      () => openClustering(fileOf('l.jsonl', [{ text: 'x', label: 'a' }])),
      'has 1 text and 1 distinct label; expected at least 2 labels',
    ],
    [
      'pairs that all have one score',
      () =>
        openSts(
          fileOf(
            'p.jsonl',
            [1, 1].map((score) => ({ a: 'x', b: 'y', score })),
          ),
        ),
      'every pair in',
    ],
    [
      'judgements of unknown texts only',
      () => openRetrieval(beirFolder(['d0'], ['q1'], ['q1\td9\t1', 'q9\td0\t1'])),
      'has no relevant document of the corpus',
    ],
    ['a folder without a corpus', () => openRetrieval(temporaryFolder()), 'corpus.jsonl'],
  ])('%s', async (_, open, words) => {
    await expect(open()).rejects.toThrow(words);
  });
});
