/**
 * Retrieval quality of a search by vectors, by words and by both: `npm run eval:search -- --beir FOLDER [--split test]
 * [--model NAME]`. FOLDER is in BEIR layout, for example from beir-folder.mjs. Prints nDCG@10 and recall@100 of each
 * mode, and in how many queries hybrid is better or worse than vectors alone.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ndcg, recall, WordIndex } from '@embedmill/analysis';
import { fuseRanks, rankingDepth } from '@embedmill/contract';
import { dotRow } from '@embedmill/core/formats';
import { readConfig } from '@embedmill/core/process';
import { Embedder, prepareModel } from '@embedmill/embed';
import { describeMachine } from '../support/machine.mjs';
import { printTable } from '../support/table.mjs';

const TOP = 10;
const DEPTH = 100;

const { values: options } = parseArgs({
  options: {
    beir: { type: 'string' },
    split: { type: 'string', default: 'test' },
    model: { type: 'string' },
    precision: { type: 'string', default: 'int8' },
  },
});
if (options.beir === undefined) {
  console.error(
    'usage: npm run eval:search -- --beir FOLDER [--split test] [--model NAME] [--precision int8]',
  );
  process.exit(2);
}
const relevant = readRelevances(join(options.beir, 'qrels', `${options.split}.tsv`));
const corpus = readLines('corpus.jsonl');
const queries = readLines('queries.jsonl').filter(({ id }) => relevant.has(id));

const { cacheDir } = readConfig(process.env);
const { model, precision } = options;
const embedder = await Embedder.open(
  await prepareModel({ cacheDir, precision, ...(model === undefined ? {} : { model }) }),
);
const { dim } = embedder.model;
const vectors = new Float32Array(corpus.length * dim);
const index = new WordIndex();
for (const [row, { text }] of corpus.entries()) {
  const vector = new Float32Array(dim);
  await embedder.embed(text, vector, 0);
  vectors.set(vector, row * dim);
  index.add(text);
}

const scores = { vector: [], words: [], hybrid: [] };
for (const { id, text } of queries) {
  const query = new Float32Array(dim);
  await embedder.embed(text, query, 0);
  const count = rankingDepth(DEPTH);
  const nearest = corpus
    .map((_, row) => ({ row, score: dotRow(query, vectors, row) }))
    .sort((a, b) => b.score - a.score || a.row - b.row)
    .slice(0, count);
  const withWords = finish(index.search(text, { count }));
  const rankings = { vector: nearest, words: withWords, hybrid: fuseRanks(nearest, withWords) };
  for (const [mode, ranking] of Object.entries(rankings)) {
    const ids = ranking.map(({ row }) => corpus[row].id);
    scores[mode].push({
      ndcg: ndcg(ids, relevant.get(id), TOP),
      recall: recall(ids, relevant.get(id), DEPTH),
    });
  }
}
await embedder.close();

console.log(describeMachine());
console.log(
  `${options.beir}: ${queries.length} queries, ${corpus.length} documents, model ${embedder.model.name ?? model ?? 'built in'} ${precision}\n`,
);
printTable(
  ['search', `nDCG@${TOP}`, `recall@${DEPTH}`],
  Object.entries(scores).map(([mode, each]) => [mode, mean(each, 'ndcg'), mean(each, 'recall')]),
);
const changes = scores.hybrid.map(({ ndcg: value }, n) => value - scores.vector[n].ndcg);
console.log(
  `\nhybrid beside vector: better in ${changes.filter((change) => change > 0).length} queries, worse in ${changes.filter((change) => change < 0).length}`,
);

function mean(values, name) {
  return (values.reduce((sum, value) => sum + value[name], 0) / values.length).toFixed(4);
}

function finish(steps) {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Documents or queries; a title comes before the text. */
function readLines(name) {
  const lines = readFileSync(join(options.beir, name), 'utf8').trim().split('\n');
  return lines.map((line) => {
    const { _id, title = '', text } = JSON.parse(line);
    return { id: _id, text: title === '' ? text : `${title} ${text}` };
  });
}

/** @returns {Map<string, Map<string, number>>} relevance of each document by query */
function readRelevances(path) {
  const found = new Map();
  for (const line of readFileSync(path, 'utf8').trim().split('\n').slice(1)) {
    const [query, document, score] = line.split('\t');
    if (!found.has(query)) found.set(query, new Map());
    found.get(query).set(document, Number(score));
  }
  return found;
}
