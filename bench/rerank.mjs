/**
 * What `search --rerank` and `dedupe --rerank` save and lose against vectors of the better model alone:
 * `npm run bench:rerank -- [--file PATH]… [--model NAME] [--rows 10000] [--questions 200] [--threshold 0.95]`.
 *
 * The first pass is the static model. Every n-th row is a question for the others. Both models embed slices by
 * turns; times are CPU time of one thread.
 */

import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { dotOf, duplicateSteps, finish } from '@embedmill/analysis';
import { UNTREATED } from '@embedmill/contract';
import { searchRows } from '@embedmill/core/formats';
import { readConfig } from '@embedmill/core/process';
import { Embedder, prepareModel } from '@embedmill/embed';
import { describeMachine } from './support/machine.mjs';
import { median, printTable } from './support/table.mjs';
import { readTexts } from './support/texts.mjs';

const SLICE_TEXTS = 252;
const HITS = 10;
const CANDIDATES = [10, 20, 50, 100, 200];
const FIRST_THRESHOLDS = [0.7, 0.75, 0.8, 0.85, 0.9, 0.95];

const { values: options } = parseArgs({
  options: {
    file: { type: 'string', multiple: true, default: [] },
    model: { type: 'string' },
    rows: { type: 'string', default: '10000' },
    questions: { type: 'string', default: '200' },
    threshold: { type: 'string', default: '0.95' },
  },
});
const threshold = Number(options.threshold);
const { cacheDir } = readConfig(process.env);
const open = async (model) => Embedder.open(await prepareModel({ model, precision: 'int8', cacheDir }));
const [first, better] = [await open('static'), await open(options.model)];
console.log(`${describeMachine()}\n${first.model.name}, then ${better.model.name}; CPU time of one thread`);

for (const path of options.file.length > 0 ? options.file : [undefined]) {
  const texts = [...new Set(await readTexts(path, Number(options.rows)))];
  const name = path === undefined ? 'the sample' : basename(path);
  const [fast, good] = await embedByTurns(texts);
  const seconds = (ms) => (ms / 1000).toFixed(1);
  console.log(
    `\n${name}, ${texts.length} different texts: embedding takes ${seconds(fast.ms)} s and ${seconds(good.ms)} s\n`,
  );
  await measureSearch(texts, fast, good);
  console.log('');
  measureDuplicates(texts, fast, good);
}
await first.close();
await better.close();

/** Embeds all texts with both models, in alternating slices. */
async function embedByTurns(texts) {
  const sides = [first, better].map((embedder) => ({
    embedder,
    matrix: {
      rows: texts.length,
      dim: embedder.model.dim,
      vectors: new Float32Array(texts.length * embedder.model.dim),
    },
    ms: 0,
  }));
  for (let start = 0; start < texts.length; start += SLICE_TEXTS) {
    const slice = texts.slice(start, start + SLICE_TEXTS);
    for (const side of sides) {
      side.ms += await cpuMs(() => embedInto(side.embedder, slice, side.matrix.vectors, start));
    }
  }
  return sides;
}

/** Embeds texts as documents or queries, as a worker does. */
async function embedInto(embedder, texts, vectors, firstRow = 0, inputType = 'document') {
  const treatment = { ...UNTREATED, inputType };
  for (let done = 0; done < texts.length; ) {
    const offset = (firstRow + done) * embedder.model.dim;
    done += (await embedder.embedPack(texts.slice(done), vectors, offset, { treatment })).length;
  }
}

/** Share of the 10 best rows of the better model that are found, by number of candidates. */
async function measureSearch(texts, fast, good) {
  const step = Math.max(1, Math.floor(texts.length / Number(options.questions)));
  const questions = texts.filter((_, row) => row % step === 0);
  const nearest = async (side, question, own, count) => {
    const query = new Float32Array(side.matrix.dim);
    await embedInto(side.embedder, [question], query, 0, 'query');
    const hits = await searchRows([rowsOf(side.matrix)], query, count + 1);
    return {
      query,
      rows: hits
        .map(({ row }) => row)
        .filter((row) => row !== own)
        .slice(0, count),
    };
  };
  const found = CANDIDATES.map(() => 0);
  const foundFirst = CANDIDATES.map(() => 0);
  const firstMs = [];
  for (const [n, question] of questions.entries()) {
    const own = n * step;
    const { query, rows: best } = await nearest(good, question, own, HITS);
    let rows = [];
    const ms = await cpuMs(async () => {
      ({ rows } = await nearest(fast, question, own, CANDIDATES.at(-1)));
    });
    firstMs.push(ms);
    for (const [c, count] of CANDIDATES.entries()) {
      const candidates = rows.slice(0, count);
      const ranked = candidates
        .map((row) => ({ row, score: dotOf(good.matrix, row, query, 0) }))
        .sort((a, b) => b.score - a.score)
        .slice(0, HITS);
      for (const { row } of ranked) found[c] += Number(best.includes(row));
      foundFirst[c] += Number(candidates.includes(best[0]));
    }
  }
  const saved = good.ms - fast.ms;
  // The question and its candidates take what texts took by turns with the first pass.
  const questionMs = (count) => median(firstMs) + ((count + 1) * good.ms) / texts.length;
  printTable(
    [
      `candidates, ${questions.length} questions`,
      `recall@${HITS}`,
      'best row found',
      'ms per question',
      'questions until it costs more',
    ],
    CANDIDATES.map((count, c) => [
      count,
      (found[c] / (questions.length * HITS)).toFixed(3),
      (foundFirst[c] / questions.length).toFixed(3),
      questionMs(count).toFixed(0),
      Math.round(saved / questionMs(count)).toLocaleString('en'),
    ]),
  );
}

/** Share of the near-duplicate pairs of the better model that are found, by first threshold. */
function measureDuplicates(texts, fast, good) {
  const pairs = [];
  for (let a = 0; a < texts.length; a++) {
    for (let b = 0; b < a; b++) {
      if (dotOf(good.matrix, a, good.matrix.vectors, b * good.matrix.dim) >= threshold) pairs.push([a, b]);
    }
  }
  const perText = good.ms / texts.length;
  const rows = FIRST_THRESHOLDS.map((from) => {
    const firsts = finish(duplicateSteps(fast.matrix, from));
    const sizes = new Map();
    for (const group of firsts) sizes.set(group, (sizes.get(group) ?? 0) + 1);
    const isCandidate = (row) => sizes.get(firsts[row]) > 1;
    const candidates = texts.filter((_, row) => isCandidate(row)).length;
    const found = pairs.filter(([a, b]) => isCandidate(a) && isCandidate(b)).length;
    return [
      from,
      `${((100 * candidates) / texts.length).toFixed(1)} %`,
      (found / pairs.length).toFixed(3),
      `${((100 * (fast.ms + candidates * perText)) / good.ms).toFixed(0)} %`,
    ];
  });
  printTable(
    [
      `first threshold, ${pairs.length} pairs from ${threshold}`,
      'candidates',
      'pairs found',
      'embedding time',
    ],
    rows,
  );
}

function rowsOf({ rows, dim, vectors }) {
  return { ids: new Array(rows).fill(''), dim, vectors, present: new Uint8Array(rows).fill(1) };
}

/** CPU time of this process, which other processes hardly change. */
async function cpuMs(work) {
  const from = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1000;
}
