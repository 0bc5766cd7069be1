/**
 * Compares vectors of the exact engine and of our int8 graph with those of the fp32 graph:
 * `npm run bench:exact:quality -- [--file PATH]… [--texts 300] [--pairs stsb-dev.jsonl]`.
 * Prints the mean, the mean of the worst 1 % and the minimum of the cosine per file; with pairs (`a`, `b`, `score`),
 * also Spearman's correlation of the cosine of each pair with its score.
 */

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '@embedmill/core/process';
import { Embedder, prepareModel } from '@embedmill/embed';
import { ExactModel } from '@embedmill/engine';
import { TextTokenizer } from '../../packages/embed/dist/text/tokenizer.js';
import { describeMachine } from '../support/machine.mjs';
import { printTable } from '../support/table.mjs';
import { readTexts } from '../support/texts.mjs';
import { dot, summarise } from './cosines.mjs';

const { values: options } = parseArgs({
  options: {
    file: { type: 'string', multiple: true, default: [] },
    texts: { type: 'string', default: '300' },
    pairs: { type: 'string' },
  },
});
const { cacheDir } = readConfig(process.env);

await main();

async function main() {
  const prepared = await prepareModel({ precision: 'fp32', cacheDir });
  const tokenizer = await TextTokenizer.read(prepared.tokenizerPath, prepared.maxTokens);
  const fp32 = await Embedder.open(prepared);
  const int8 = await Embedder.open(await prepareModel({ precision: 'int8', engine: 'onnx', cacheDir }));
  const { modelPath } = await prepareModel({ precision: 'int8', engine: 'exact', cacheDir });
  const exact = ExactModel.open(modelPath);

  const embedGraph = async (embedder, text) => {
    const vector = new Float32Array(exact.dim);
    await embedder.embed(text, vector, 0);
    return vector;
  };
  /** Vectors of a text by each engine; undefined for a text without a token of its own. */
  const embed = async (text) => {
    const ids = Int32Array.from(tokenizer.encode(text, 'end', []).ids);
    if (ids.length <= 2) return undefined;
    return {
      fp32: await embedGraph(fp32, text),
      int8: await embedGraph(int8, text),
      exact: exact.embed({ ids, lengths: Int32Array.of(ids.length) }),
    };
  };

  console.log(`${describeMachine()} · kernel ${exact.kernel}\n`);
  const rows = [];
  const files = options.file.length > 0 ? options.file : [undefined];
  for (const file of files) {
    const cosines = { int8: [], exact: [] };
    for (const text of await readTexts(file, Number(options.texts))) {
      const vectors = await embed(text);
      if (vectors === undefined) continue;
      for (const engine of ['int8', 'exact']) cosines[engine].push(dot(vectors[engine], vectors.fp32));
    }
    const name = file === undefined ? 'sample' : basename(file);
    for (const engine of ['int8', 'exact'])
      rows.push([name, engine, cosines[engine].length, ...summarise(cosines[engine])]);
  }
  printTable(['texts', 'engine', 'count', 'mean', 'worst 1 %', 'minimum'], rows);

  if (options.pairs !== undefined) {
    const scores = [];
    const similarities = { fp32: [], int8: [], exact: [] };
    for (const line of readFileSync(options.pairs, 'utf8').trim().split('\n')) {
      const { a, b, score } = JSON.parse(line);
      const [left, right] = [await embed(a), await embed(b)];
      if (left === undefined || right === undefined) continue;
      scores.push(score);
      for (const engine of ['fp32', 'int8', 'exact'])
        similarities[engine].push(dot(left[engine], right[engine]));
    }
    console.log();
    printTable(
      [basename(options.pairs), "Spearman's correlation x 100"],
      Object.entries(similarities).map(([engine, list]) => [
        engine,
        (100 * spearman(list, scores)).toFixed(3),
      ]),
    );
  }
  exact.close();
  await Promise.all([fp32.close(), int8.close()]);
}

/** Pearson's correlation of the ranks; equal values share the mean of their ranks. */
function spearman(a, b) {
  const [x, y] = [ranks(a), ranks(b)];
  const middle = (a.length - 1) / 2;
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [dx, dy] = [x[i] - middle, y[i] - middle];
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xy / Math.sqrt(xx * yy);
}

function ranks(values) {
  const order = values.map((_, i) => i).sort((i, j) => values[i] - values[j]);
  const result = new Float64Array(values.length);
  for (let first = 0, end = 0; first < order.length; first = end) {
    while (end < order.length && values[order[end]] === values[order[first]]) end++;
    for (let i = first; i < end; i++) result[order[i]] = (first + end - 1) / 2;
  }
  return result;
}
