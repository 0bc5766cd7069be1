/**
 * LanceDB indexes: `node bench/analysis/lance.mjs VECTORS [questions]`. Loads a vector file into a table as
 * `embedmill load` does, builds each type of index and searches it for the 10 nearest rows of some of its own
 * rows. Prints build time, index size, search time and recall@10, without and with `refineFactor(5)`.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Nearest, scanRows } from '@embedmill/core/formats';
import { connect, Index } from '@lancedb/lancedb';
import { openLance } from '../../apps/cli/dist/io/stores/lance.js';
import { loadIntoStore } from '../../apps/cli/dist/io/stores/load.js';
import { openVectors } from '../../apps/cli/dist/io/vectors/open.js';
import { describeMachine } from '../support/machine.mjs';
import { median, printTable } from '../support/table.mjs';

const [path, questionCount = 100] = process.argv.slice(2);
if (path === undefined)
  throw new Error('expected a vector file: node bench/analysis/lance.mjs VECTORS [questions]');
const hits = 10;
const cosines = { distanceType: 'cosine' };
const indexes = {
  IVF_FLAT: Index.ivfFlat(cosines),
  IVF_PQ: Index.ivfPq(cosines),
  IVF_HNSW_SQ: Index.hnswSq(cosines),
  IVF_RQ: Index.ivfRq(cosines),
};

const folder = mkdtempSync(join(tmpdir(), 'embedmill-bench-'));
try {
  const file = await openVectors(path);
  const start = performance.now();
  const { rows } = await loadIntoStore({
    file,
    open: (dim) => openLance({ url: pathToFileURL(join(folder, 'rows.lance')), dim }),
    batchRows: 500,
    onRows: () => {},
    onRetry: () => {},
    signal: new AbortController().signal,
  });
  const seconds = (performance.now() - start) / 1000;
  const questions = await trueNearest(file);
  const database = await connect(folder);
  const table = await database.openTable('rows');
  console.log(describeMachine());
  console.log(`${rows} rows loaded and indexed in ${seconds.toFixed(1)} s; ${questions.length} questions\n`);
  for (const { name } of await table.listIndices()) await table.dropIndex(name);
  const measured = [['none', '', '', ...(await search(table, questions))]];
  for (const [name, config] of Object.entries(indexes)) {
    const before = performance.now();
    await table.createIndex('vector', { config, replace: true });
    const built = ((performance.now() - before) / 1000).toFixed(1);
    const [{ sizeBytes }] = await table.listIndices();
    measured.push([name, built, (sizeBytes / 1e6).toFixed(1), ...(await search(table, questions))]);
  }
  printTable(['index', 'built in s', 'MB', 'recall@10', 'ms', 'recall@10 refined', 'ms refined'], measured);
} finally {
  rmSync(folder, { recursive: true });
}

/** Rows of the file at even distances, each with the cosine of its tenth nearest row. */
async function trueNearest(file) {
  const slices = [];
  for await (const slice of file.read()) slices.push(slice);
  const all = slices.flatMap(({ ids, dim, vectors, present }) =>
    [...ids.keys()]
      .filter((row) => present[row] === 1)
      .map((row) => ({ id: ids[row], vector: vectors.subarray(row * dim, (row + 1) * dim) })),
  );
  const vectorOf = new Map(all.map(({ id, vector }) => [id, vector]));
  const step = all.length / Number(questionCount);
  return Array.from({ length: Number(questionCount) }, (_, n) => {
    const { vector } = all[Math.floor((n + 0.5) * step)];
    const nearest = new Nearest(hits);
    let first = 0;
    for (const slice of slices) {
      scanRows(vector, slice, first, nearest);
      first += slice.ids.length;
    }
    return { vector, least: nearest.hits.at(-1).score, vectorOf };
  });
}

/** Recall and median time of a search, without and with refinement. */
async function search(table, questions) {
  const figures = [];
  for (const refine of [1, 5]) {
    let found = 0;
    const times = [];
    for (const { vector, least, vectorOf } of questions) {
      const before = performance.now();
      const query = table.vectorSearch(vector).distanceType('cosine').select(['id', '_distance']).limit(hits);
      const rows = await (refine > 1 ? query.refineFactor(refine) : query).toArray();
      times.push(performance.now() - before);
      // Compared by true cosine: an index reports an estimate, and equal texts are interchangeable.
      found += rows.filter(({ id }) => cosine(vectorOf.get(id), vector) >= least - 1e-5).length;
    }
    figures.push((found / (questions.length * hits)).toFixed(3), median(times).toFixed(1));
  }
  return figures;
}

function cosine(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
