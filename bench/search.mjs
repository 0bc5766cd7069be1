/**
 * Search of many rows: `npm run bench:search -- [--rows 100000,1000000] [--texts FILE]`. Generates vectors from a seed,
 * repeats the texts, and measures what one search of the producer does in memory: scan of 16-bit vectors, BM25, fusion;
 * memory, the longest step between two turns of other work (other processes do not affect CPU times), and the recall of the scan beside an exact search.
 */

import { parseArgs } from 'node:util';
import { PackedVectors, WordIndex } from '@embedmill/analysis';
import { fuseRanks, rankingDepth } from '@embedmill/contract';
import { Nearest, scanRows } from '@embedmill/core/formats';
import { describeMachine } from './support/machine.mjs';
import { median, printTable } from './support/table.mjs';
import { readTexts } from './support/texts.mjs';

const DIM = 384;
const SLICE_ROWS = 5_000;
/** Directions that the vectors cluster around, so that nearest rows are near each other, as those of texts are. */
const TOPICS = 200;
const COUNT = 20;
const ROUNDS = 7;
/** Words per question: the first ones of a text. */
const QUERY_WORDS = 6;
const MEGABYTE = 1024 * 1024;

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000,1000000' },
    texts: { type: 'string' },
  },
});
const texts = await readTexts(options.texts);
console.log(describeMachine());
console.log(`${DIM} numbers per vector, ${COUNT} hits, ${texts.length} different texts\n`);

const lines = [];
for (const rows of options.rows.split(',').map(Number)) lines.push(...measure(rows));
printTable(
  ['rows', 'what', 'memory MB', 'build s', 'median ms', 'CPU ms', 'longest step, CPU ms', 'recall@20'],
  lines,
);

function measure(rows) {
  const random = numbersFrom(7);
  const topics = Array.from({ length: TOPICS }, () => unit(Float32Array.from({ length: DIM }, random)));
  const packed = new PackedVectors(rows, DIM);
  const words = new WordIndex();
  const queries = texts.slice(0, ROUNDS).map((text) => text.split(' ').slice(0, QUERY_WORDS).join(' '));
  const vectors = queries.map((_, n) => around(topics[n % TOPICS], random));
  const exact = queries.map(() => new Nearest(COUNT));
  let [packMs, wordsMs] = [0, 0];
  for (let first = 0; first < rows; first += SLICE_ROWS) {
    const slice = makeSlice(Math.min(SLICE_ROWS, rows - first), topics, random);
    for (const [n, vector] of vectors.entries()) scanRows(vector, slice, first, exact[n]);
    const start = performance.now();
    packed.add(slice);
    const packedAt = performance.now();
    for (let n = 0; n < slice.ids.length; n++) words.add(texts[(first + n) % texts.length]);
    packMs += packedAt - start;
    wordsMs += performance.now() - packedAt;
  }
  const depth = rankingDepth(COUNT);
  const figures = { vectors: newFigures(), words: newFigures(), hybrid: newFigures() };
  let found = 0;
  for (const [n, query] of queries.entries()) {
    const nearest = timed(figures.vectors, () => packed.nearest(vectors[n], depth));
    timed(figures.words, () => words.search(query, { count: depth }));
    timed(figures.hybrid, function* both() {
      return fuseRanks(
        yield* packed.nearest(vectors[n], depth),
        yield* words.search(query, { count: depth }),
      );
    });
    const rowsFound = new Set(nearest.slice(0, COUNT).map(({ row }) => row));
    found += exact[n].hits.filter(({ row }) => rowsFound.has(row)).length;
  }
  const lineOf = (what, { ms, cpuMs, longestMs }, memory, buildMs, recall = '') => [
    rows,
    what,
    memory,
    buildMs,
    median(ms).toFixed(1),
    median(cpuMs).toFixed(1),
    longestMs.toFixed(1),
    recall,
  ];
  const megabytes = (bytes) => Math.round(bytes / MEGABYTE);
  const seconds = (ms) => (ms / 1000).toFixed(1);
  const recall = (found / (queries.length * COUNT)).toFixed(4);
  return [
    lineOf('vectors', figures.vectors, megabytes(PackedVectors.bytesOf(rows, DIM)), seconds(packMs), recall),
    lineOf('words', figures.words, megabytes(words.bytes), seconds(wordsMs)),
    lineOf('hybrid', figures.hybrid, '', ''),
  ];
}

function newFigures() {
  return { ms: [], cpuMs: [], longestMs: 0 };
}

/** Runs the steps of a search and adds their times. */
function timed(figures, search) {
  const before = process.cpuUsage();
  const start = performance.now();
  const steps = search();
  for (;;) {
    const cpuBefore = process.cpuUsage();
    const step = steps.next();
    const cpu = process.cpuUsage(cpuBefore);
    figures.longestMs = Math.max(figures.longestMs, (cpu.user + cpu.system) / 1000);
    if (!step.done) continue;
    figures.ms.push(performance.now() - start);
    const { user, system } = process.cpuUsage(before);
    figures.cpuMs.push((user + system) / 1000);
    return step.value;
  }
}

function makeSlice(rows, topics, random) {
  const vectors = new Float32Array(rows * DIM);
  for (let row = 0; row < rows; row++)
    vectors.set(around(topics[Math.floor(Math.abs(random()) * 1e5) % TOPICS], random), row * DIM);
  return { ids: new Array(rows).fill(''), dim: DIM, vectors, present: new Uint8Array(rows).fill(1) };
}

/** A vector of length 1 with a cosine of about 0.7 to a direction. */
function around(direction, random) {
  return unit(direction.map((value) => value + random() / Math.sqrt(DIM)));
}

function unit(vector) {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

/** Uniform numbers with mean 0 and variance 1, from a seed. */
function numbersFrom(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32 - 0.5) * Math.sqrt(12);
  };
}
