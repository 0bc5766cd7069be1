/**
 * How well topics agree with labels, what they are called, and how long finding them takes:
 * `npm run bench:topics -- [--file LABELLED.jsonl] [--rows 2500,20000]`.
 *
 * The file has `text` and `label`, optionally with .gz; without it, the built-in sample with the products as labels.
 * Compared are mini-batch k-means (the clusters of `eval`) with
 * the terms of class-based TF-IDF, and the topics of `embedmill cluster`. Times are CPU time of one thread.
 */

import { parseArgs } from 'node:util';
import {
  compareWithLabels,
  finish,
  KeyTerms,
  kMeans,
  STOP_WORDS,
  topicSteps,
  WordSplitter,
} from '@embedmill/analysis';
import { embedTexts, readLabelledTexts, seconds, timed, withRows } from './support/labelled.mjs';
import { describeMachine } from './support/machine.mjs';
import { printTable } from './support/table.mjs';

const SEEDS = [1, 2, 3];
const SHOWN_TOPICS = 5;
const SHOWN_TERMS = 6;

const { values: options } = parseArgs({
  options: { file: { type: 'string' }, rows: { type: 'string', default: '2500,20000' } },
});
const { texts, labels, classes } = await readLabelledTexts(options.file);
const matrix = await embedTexts(texts);
console.log(
  `${describeMachine()}\n${options.file ?? 'the sample'}: ${texts.length} rows, ${classes} labels\n`,
);

const own = timed(() => finish(topicSteps(matrix, { topics: null })));
const count = own.result.clustering.centroids.rows;
const rows = [];
for (const clusters of [...new Set([classes, count])]) {
  for (const seed of SEEDS) {
    const means = timed(() => kMeans(matrix, clusters, { seed }));
    rows.push([
      'k-means',
      `${clusters} given`,
      seed,
      ...agreement(means.result.assignments),
      seconds(means.ms),
    ]);
  }
  for (const seed of SEEDS) {
    const topics = timed(() => finish(topicSteps(matrix, { topics: clusters, seed })));
    rows.push([
      'topics',
      `${clusters} given`,
      seed,
      ...agreement(topics.result.clustering.assignments),
      seconds(topics.ms),
    ]);
  }
}
for (const seed of SEEDS) {
  const { result, ms } = timed(() => finish(topicSteps(matrix, { topics: null, seed })));
  const found = `${result.clustering.centroids.rows} found`;
  rows.push(['topics', found, seed, ...agreement(result.clustering.assignments), seconds(ms)]);
}
printTable(['clusters', 'number', 'seed', 'NMI (V-measure)', 'purity', 'CPU time'], rows);

const again = finish(topicSteps(matrix, { topics: null }));
const isSame = Buffer.from(again.clustering.assignments.buffer).equals(
  Buffer.from(own.result.clustering.assignments.buffer),
);
console.log(`\nThe same seed again: ${isSame ? 'equal bytes' : 'OTHER BYTES'}\n`);

const { assignments } = own.result.clustering;
const terms = new KeyTerms(count, STOP_WORDS);
for (const [row, text] of texts.entries()) terms.add(assignments[row], text);
const logOdds = terms.top(SHOWN_TERMS);
const tfIdf = classTfIdf(assignments, count);
const every = Math.max(1, Math.floor(count / SHOWN_TOPICS));
printTable(
  ['most frequent label of the topic', 'class-based TF-IDF', 'log-odds'],
  Array.from({ length: Math.min(count, SHOWN_TOPICS) }, (_, n) => n * every).map((topic) => [
    mostFrequent(labels.filter((_, row) => assignments[row] === topic)),
    tfIdf[topic].join(', '),
    logOdds[topic].join(', '),
  ]),
);

console.log('');
printTable(
  ['rows', 'topics', 'groups', 'CPU time'],
  options.rows.split(',').map((given) => {
    const { result, ms } = timed(() => finish(topicSteps(withRows(matrix, Number(given)), { topics: null })));
    const groups = new Set(result.groups ?? []).size;
    return [given, result.clustering.centroids.rows, groups, seconds(ms)];
  }),
);

/** NMI (with the arithmetic mean of the entropies, which is the V-measure) and purity. */
function agreement(clusters) {
  const byCluster = new Map();
  for (const [row, label] of labels.entries()) {
    const of = byCluster.get(clusters[row]) ?? [];
    byCluster.set(clusters[row], of);
    of.push(label);
  }
  let pure = 0;
  for (const of of byCluster.values()) {
    const own = mostFrequent(of);
    pure += of.filter((label) => label === own).length;
  }
  const { vMeasure } = compareWithLabels(labels, clusters);
  return [vMeasure.toFixed(3), (pure / labels.length).toFixed(3)];
}

function mostFrequent(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0][0];
}

/** Words by their share in the cluster times log(1 + words of an average cluster / count in all) (Grootendorst 2022). */
function classTfIdf(clusters, clusterCount) {
  const splitter = new WordSplitter();
  const counts = Array.from({ length: clusterCount }, () => new Map());
  const all = new Map();
  let words = 0;
  for (const [row, text] of texts.entries()) {
    for (const { word } of splitter.split(text.toLowerCase())) {
      if (word.length < 2 || STOP_WORDS.has(word)) continue;
      counts[clusters[row]].set(word, (counts[clusters[row]].get(word) ?? 0) + 1);
      all.set(word, (all.get(word) ?? 0) + 1);
      words += 1;
    }
  }
  const weight = ([word, times]) => times * Math.log(1 + words / clusterCount / all.get(word));
  return counts.map((of) =>
    [...of]
      .sort((a, b) => weight(b) - weight(a))
      .slice(0, SHOWN_TERMS)
      .map(([word]) => word),
  );
}
