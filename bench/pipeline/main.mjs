/**
 * Overhead of the pipeline: `npm run bench:pipeline -- [--file PATH] [--limit N] [--rounds N] [--threads N]
 * [--instant ROWS,ROWS,…]`
 *
 * Table 1: rows/s from the first HTTP request to the complete .npy file, compared with the engine alone on
 * the same texts, batches and threads, in interleaved rounds. Table 2: the same pipeline with an engine that
 * takes no time.
 */

import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { defaultThreads } from '@embedmill/core/process';
import { describeMachine } from '../support/machine.mjs';
import { median, printTable } from '../support/table.mjs';
import { readTexts } from '../support/texts.mjs';
import { measureRun, startChild, startStack } from './stack.mjs';

const { values } = parseArgs({
  options: {
    file: { type: 'string' },
    limit: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: String(defaultThreads()) },
    instant: { type: 'string', default: '10000,100000,1000000' },
  },
});
const threads = Number(values.threads);
const texts = await readTexts(values.file, Number(values.limit));
console.log(describeMachine());
console.log(
  `${values.file ?? 'the sample'}: ${texts.length} texts, ${threads} threads, int8, median of ${values.rounds} interleaved rounds\n`,
);

await compareWithBareEngine();
await measureAlone();

async function compareWithBareEngine() {
  const bare = await startChild(fileURLToPath(new URL('./bare.mjs', import.meta.url)), {
    EMBEDMILL_THREADS: values.threads,
  });
  const stack = await startStack({ threads });
  const rates = { bare: [], pipeline: [] };
  for (let round = 0; round < Number(values.rounds); round += 1) {
    bare.child.send(texts);
    const [{ seconds }] = await once(bare.child, 'message');
    rates.bare.push(texts.length / seconds);
    rates.pipeline.push(texts.length / (await measureRun(stack, texts)).seconds);
  }
  bare.child.disconnect();
  await stack.stop();
  const ratios = rates.pipeline.map((rate, i) => rate / rates.bare[i]);
  printTable(
    ['', 'rows/s', 'share of the engine alone'],
    [
      ['engine alone', median(rates.bare).toFixed(0), '1'],
      [
        'HTTP → Redis → worker → collector → file',
        median(rates.pipeline).toFixed(0),
        median(ratios).toFixed(3),
      ],
    ],
  );
}

async function measureAlone() {
  const counts = values.instant
    .split(',')
    .map(Number)
    .filter((count) => count > 0);
  if (counts.length === 0) return;
  console.log('\nWith an engine that takes no time:\n');
  const stack = await startStack({
    threads: 1,
    engine: new URL('./instant-engine.mjs', import.meta.url).href,
  });
  await measureRun(stack, repeat(texts, 1000));
  const rows = [];
  for (const count of counts) {
    const { seconds, memory } = await measureRun(stack, repeat(texts, count));
    rows.push([
      count,
      seconds.toFixed(1),
      (count / seconds).toFixed(0),
      ((seconds / count) * 1e6).toFixed(0),
      memory.redis,
      memory.producer,
      memory.worker,
    ]);
  }
  await stack.stop();
  printTable(['rows', 'seconds', 'rows/s', 'µs per row', 'Redis MB', 'producer MB', 'worker MB'], rows);
}

function* repeat(source, count) {
  for (let i = 0; i < count; i += 1) yield source[i % source.length];
}
