/**
 * Compares models: `npm run eval:models -- [--prompt 'query: ' --model FOLDER]…`. Prints speed, size, memory and
 * quality in eight languages of the built-in model and of each folder or added model, with its prompt.
 *
 * Texts are the 128 sentences with which `embedmill model check` measures, so that all models read the same
 * meanings. Speed is texts per second of CPU time of one thread, which other work on the machine changes little: the
 * median of five turns.
 */

import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { UNTREATED } from '@embedmill/contract';
import { Embedder, isRelated, measureModel, prepareModel } from '@embedmill/embed';
import { SENTENCES } from '../../packages/embed/dist/quality/sentences.js';
import { describeMachine } from '../support/machine.mjs';
import { median, printTable } from '../support/table.mjs';
import { readTexts } from '../support/texts.mjs';

const TURNS = 5;
const TEXTS = 256;

const { tokens: given } = parseArgs({
  options: {
    model: { type: 'string', multiple: true },
    prompt: { type: 'string', multiple: true },
    cache: { type: 'string' },
    texts: { type: 'string' },
  },
  tokens: true,
});

/** Each model with the prompt that stands before it. */
function readModels() {
  const models = [{ model: undefined, prompt: '' }];
  let prompt = '';
  for (const { kind, name, value } of given) {
    if (kind !== 'option') continue;
    if (name === 'prompt') prompt = value;
    if (name !== 'model') continue;
    models.push({ model: value, prompt });
    prompt = '';
  }
  return models;
}

const optionOf = (wanted) => given.find(({ name }) => name === wanted)?.value;
const cacheDir = optionOf('cache') ?? '.embedmill/bench-models';
const english = await readTexts(optionOf('texts'), TEXTS);
const mixed = Object.values(SENTENCES).flat(2);
console.log(`${describeMachine()}\n`);

/** Embeds texts as a worker thread does. Returns texts and tokens per second of CPU time. */
async function measureSpeed({ embedder, prompt }, texts) {
  const treatment = { ...UNTREATED, prompt };
  const { dim } = embedder.model;
  const target = new Float32Array(texts.length * dim);
  const before = process.cpuUsage();
  let tokens = 0;
  for (let at = 0; at < texts.length; ) {
    const outcomes = await embedder.embedPack(texts.slice(at), target, at * dim, { treatment });
    at += outcomes.length;
    for (const outcome of outcomes) tokens += outcome.tokens;
  }
  const { user, system } = process.cpuUsage(before);
  const seconds = (user + system) / 1e6;
  return { texts: texts.length / seconds, tokens: tokens / seconds };
}

const models = [];
for (const { model, prompt } of readModels()) {
  const before = process.memoryUsage.rss();
  const prepared = await prepareModel({ model, precision: 'int8', cacheDir });
  const openedAt = performance.now();
  const embedder = await Embedder.open(prepared);
  const openMs = performance.now() - openedAt;
  const measured = await measureModel(embedder, { prompt });
  const memory = process.memoryUsage.rss() - before;
  for (const problem of measured.problems) console.log(`${prepared.name}: ${problem}`);
  models.push({ prepared, prompt, embedder, openMs, memory, ...measured, english: [], mixed: [] });
}
// By turns, so that other work on the machine slows all models alike. The first turn warms up.
for (let turn = 0; turn <= TURNS; turn++) {
  for (const model of models) {
    const speeds = [await measureSpeed(model, english), await measureSpeed(model, mixed)];
    if (turn === 0) continue;
    model.english.push(speeds[0]);
    model.mixed.push(speeds[1]);
  }
}
const rows = models.map(({ prepared, openMs, memory, languages, baseline, english: own, mixed: all }) => {
  const sum = (field) => languages.reduce((total, each) => total + (each[field] ?? 0), 0);
  const rate = (speeds, field) => median(speeds.map((each) => each[field])).toFixed(0);
  return [
    `${prepared.name}, ${prepared.engine}`,
    rate(own, 'texts'),
    rate(own, 'tokens'),
    rate(all, 'texts'),
    (statSync(prepared.modelPath).size / 1e6).toFixed(0),
    (memory / 1e6).toFixed(0),
    (openMs / 1000).toFixed(1),
    `${sum('translations')} of 56`,
    `${sum('wordings')} of 64`,
    `${baseline.mean.toFixed(2)} ± ${baseline.spread.toFixed(2)}`,
  ];
});
const languageRows = models.flatMap(({ prepared, languages }) =>
  languages.map((each, i) => [
    i === 0 ? prepared.name : '',
    `${each.language}${isRelated(each) ? ' ✓' : ''}`,
    each.wordings,
    each.translations ?? '',
    each.similar.toFixed(3),
    each.unrelated.toFixed(3),
  ]),
);
for (const { embedder } of models) await embedder.close();
printTable(
  [
    'model',
    'texts/s',
    'tokens/s',
    'texts/s, 8 languages',
    'MB',
    'MB in memory',
    's to open',
    'translations found',
    'wordings found',
    'unrelated',
  ],
  rows,
);
console.log();
printTable(['model', 'language', 'wordings of 8', 'translations of 8', 'similar', 'unrelated'], languageRows);
