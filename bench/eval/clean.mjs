/**
 * Effect of each cleaning step: `npm run eval:clean -- --sts FILE [--texts FILE] [--limit N]`. For each step
 * alone and for all together: texts changed, texts with other token ids (the tokenizer cleans as well),
 * cosine of the vectors before and after, time, and the Spearman correlation on the sentence pairs with both
 * sides cleaned.
 */

import { parseArgs } from 'node:util';
import { spearman } from '@embedmill/analysis';
import { CLEAN_STEPS, UNTREATED } from '@embedmill/contract';
import { describeMachine } from '../support/machine.mjs';
import { printTable } from '../support/table.mjs';
import { readTexts } from '../support/texts.mjs';
import { readPairs } from './pairs.mjs';
import { dot, embedAll, openEmbedder } from './vectors.mjs';

const { values: options } = parseArgs({
  options: { texts: { type: 'string' }, sts: { type: 'string' }, limit: { type: 'string' } },
});
if (options.sts === undefined) {
  console.error('usage: npm run eval:clean -- --sts FILE [--texts FILE] [--limit N]');
  process.exit(2);
}
const texts = await readTexts(options.texts, options.limit === undefined ? undefined : Number(options.limit));
const pairs = await readPairs(options.sts);
const scores = pairs.map((pair) => pair.score);
const embedder = await openEmbedder();

const before = await embedAll(embedder, texts);
const idsBefore = texts.map((text) => embedder.idsOf(text, UNTREATED).join());
const names = Object.keys(CLEAN_STEPS);
const choices = [['none', []], ...names.map((name) => [name, [name]]), ['all', names]];
const rows = [];
for (const [label, clean] of choices) {
  const treatment = { ...UNTREATED, clean };
  const startedAt = performance.now();
  const changed = texts.filter((text) => embedder.treat(text, treatment) !== text).length;
  const microseconds = ((performance.now() - startedAt) * 1000) / texts.length;
  const moved = texts.flatMap((text, i) =>
    embedder.idsOf(text, treatment).join() === idsBefore[i] ? [] : [i],
  );
  const after = await embedAll(
    embedder,
    moved.map((i) => texts[i]),
    { treatment },
  );
  const cosines = moved.map((i, n) => dot(before[i], after[n])).sort((a, b) => a - b);
  const a = await embedAll(
    embedder,
    pairs.map((pair) => pair.a),
    { treatment },
  );
  const b = await embedAll(
    embedder,
    pairs.map((pair) => pair.b),
    { treatment },
  );
  rows.push([
    `\`${label}\``,
    changed,
    moved.length,
    cosines.length === 0
      ? ''
      : (cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length).toFixed(3),
    cosines.length === 0 ? '' : cosines[0].toFixed(3),
    microseconds.toFixed(1),
    spearman(
      a.map((vector, i) => dot(vector, b[i])),
      scores,
    ).toFixed(4),
  ]);
}
await embedder.close();
console.log(describeMachine());
console.log(
  `${options.texts ?? 'the sample'}: ${texts.length} texts; ${options.sts}: ${pairs.length} pairs; int8\n`,
);
printTable(
  [
    'step',
    'texts changed',
    'token ids changed',
    'mean cosine if changed',
    'minimum',
    'µs per text',
    'Spearman',
  ],
  rows,
);
