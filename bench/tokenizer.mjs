/**
 * Compares the native tokenizer with the library, by turns in one thread:
 * `npm run bench:tokenizer -- [--file PATH]… [--texts 2000] [--rounds 9]`.
 */

import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '@embedmill/core/process';
import { prepareModel } from '@embedmill/embed';
import { TextTokenizer } from '../packages/embed/dist/text/tokenizer.js';
import { describeMachine } from './support/machine.mjs';
import { median, printTable } from './support/table.mjs';
import { readTexts } from './support/texts.mjs';

const { values: options } = parseArgs({
  options: {
    file: { type: 'string', multiple: true, default: [] },
    texts: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '9' },
  },
});
const rounds = Number(options.rounds);
const { cacheDir } = readConfig(process.env);
const { tokenizerPath, maxTokens } = await prepareModel({ precision: 'int8', cacheDir });
const native = await TextTokenizer.read(tokenizerPath, maxTokens);
if (!native.isNative) throw new Error('this machine has no addon');
const library = await TextTokenizer.read(tokenizerPath, maxTokens, { native: false });

console.log(`${describeMachine()}\nmedians of ${rounds} rounds by turns, one thread, per second of CPU\n`);
const rows = [];
for (const path of options.file.length > 0 ? options.file : [undefined]) {
  const texts = await readTexts(path, Number(options.texts));
  const times = { native: [], library: [] };
  let tokens = 0;
  for (let round = 0; round <= rounds; round++) {
    for (const [name, tokenizer] of Object.entries({ native, library })) {
      const { ms, tokens: counted } = timeOf(tokenizer, texts);
      // The first round warms up.
      if (round > 0) times[name].push(ms);
      tokens = counted;
    }
  }
  const [own, theirs] = [median(times.native), median(times.library)];
  const perSecond = (ms, count) => Math.round((count / ms) * 1000).toLocaleString('en');
  rows.push([
    path === undefined ? 'sample' : basename(path),
    (tokens / texts.length).toFixed(1),
    perSecond(theirs, texts.length),
    perSecond(own, texts.length),
    perSecond(own, tokens),
    `${(theirs / own).toFixed(1)}x`,
  ]);
}
printTable(
  ['texts', 'tokens per text', 'library, texts/s', 'native, texts/s', 'native, tokens/s', 'gain'],
  rows,
);

/** Encodes all texts as the embedder does. */
function timeOf(tokenizer, texts) {
  const startedAt = cpuMs();
  let tokens = 0;
  for (const text of texts) tokens += tokenizer.encode(text, 'end').ids.length;
  return { ms: cpuMs() - startedAt, tokens };
}

/** Milliseconds of CPU of this process, which other processes hardly change. */
function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
