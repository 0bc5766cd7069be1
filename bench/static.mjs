/**
 * Compares the static model with the built-in one, by turns in one thread:
 * `npm run bench:static -- [--file PATH]… [--texts 500] [--rounds 7] [--sts FILE]`.
 * With --sts (.jsonl with a, b and score) it also prints the Spearman correlation of both.
 */

import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { spearman } from '@embedmill/analysis';
import { readConfig } from '@embedmill/core/process';
import { Embedder, prepareModel } from '@embedmill/embed';
import { readPairs } from './eval/pairs.mjs';
import { describeMachine } from './support/machine.mjs';
import { median, printTable } from './support/table.mjs';
import { readTexts } from './support/texts.mjs';

/** The static model gets this many times the texts of the built-in one, so that both can be timed. */
const STATIC_SHARE = 20;
const BATCH_ROWS = 252;

const { values: options } = parseArgs({
  options: {
    file: { type: 'string', multiple: true, default: [] },
    texts: { type: 'string', default: '500' },
    rounds: { type: 'string', default: '7' },
    sts: { type: 'string' },
  },
});
const rounds = Number(options.rounds);
const { cacheDir } = readConfig(process.env);
const open = async (model) => Embedder.open(await prepareModel({ model, precision: 'int8', cacheDir }));
const embedders = { 'built-in': await open(undefined), static: await open('static') };
const engines = Object.values(embedders).map(({ model }) => `${model.name}: ${model.sources.engine}`);
console.log(
  `${describeMachine()}\n${engines.join('; ')}\nmedians of ${rounds} rounds by turns, one thread, per second of CPU\n`,
);

const rows = [];
for (const path of options.file.length > 0 ? options.file : [undefined]) {
  const texts = await readTexts(path, Number(options.texts) * STATIC_SHARE);
  const times = { 'built-in': [], static: [] };
  const tokens = {};
  for (let round = 0; round <= rounds; round++) {
    for (const [name, embedder] of Object.entries(embedders)) {
      const some = name === 'static' ? texts : texts.slice(0, Number(options.texts));
      const startedAt = cpuMs();
      const { tokens: counted } = await embedAll(embedder, some);
      // The first round warms up.
      if (round > 0) times[name].push((cpuMs() - startedAt) / some.length);
      tokens[name] = counted / some.length;
    }
  }
  const [builtIn, own] = [median(times['built-in']), median(times.static)];
  const perSecond = (ms, count = 1) => Math.round((1000 / ms) * count).toLocaleString('en');
  rows.push([
    path === undefined ? 'sample' : basename(path),
    perSecond(builtIn),
    perSecond(builtIn, tokens['built-in']),
    perSecond(own),
    perSecond(own, tokens.static),
    `${Math.round(builtIn / own)}x`,
  ]);
}
printTable(['texts', 'built-in, texts/s', 'tokens/s', 'static, texts/s', 'tokens/s', 'gain'], rows);

if (options.sts !== undefined) {
  const pairs = await readPairs(options.sts);
  const scores = pairs.map(({ score }) => score);
  console.log('');
  const correlations = [];
  for (const [name, embedder] of Object.entries(embedders)) {
    const { dim } = embedder.model;
    const [a, b] = [
      await embedAll(
        embedder,
        pairs.map((pair) => pair.a),
      ),
      await embedAll(
        embedder,
        pairs.map((pair) => pair.b),
      ),
    ];
    const cosines = pairs.map((_, row) => dot(a.vectors, b.vectors, row * dim, dim));
    correlations.push([name, spearman(cosines, scores).toFixed(4)]);
  }
  printTable([`${basename(options.sts)}, ${pairs.length} pairs`, 'Spearman'], correlations);
}
for (const embedder of Object.values(embedders)) await embedder.close();

/** Embeds texts in batches, as a worker does. */
async function embedAll(embedder, texts) {
  const { dim } = embedder.model;
  const vectors = new Float32Array(texts.length * dim);
  let tokens = 0;
  for (let start = 0; start < texts.length; start += BATCH_ROWS) {
    const batch = texts.slice(start, start + BATCH_ROWS);
    for (let done = 0; done < batch.length; ) {
      const outcomes = await embedder.embedPack(batch.slice(done), vectors, (start + done) * dim);
      for (const outcome of outcomes) tokens += outcome.tokens;
      done += outcomes.length;
    }
  }
  return { tokens, vectors };
}

function dot(a, b, offset, dim) {
  let sum = 0;
  for (let i = offset; i < offset + dim; i++) sum += a[i] * b[i];
  return sum;
}

/** Milliseconds of CPU of this process, which other processes hardly change. */
function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
