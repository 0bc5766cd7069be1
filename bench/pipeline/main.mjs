/**
 * Overhead of the pipeline: `npm run bench:pipeline -- [--file PATH] [--limit N] [--rounds N] [--threads N]
 * [--uploads N] [--instant ROWS,ROWS,…] [--against FOLDER] [--profile FOLDER]`
 *
 * Table 1: rows/s from the first HTTP request to the complete .npy file, compared with the engine alone on
 * the same texts, batches and threads, in interleaved rounds; `--rounds 0` measures only the engine, on a few of
 * them. Table 2: the same pipeline with an engine that takes no time: rates, memory, and the CPU time per row of
 * each process.
 * `--against` measures the build in another folder too, by turns.
 */

import { once } from 'node:events';
import { cpus } from 'node:os';
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
    uploads: { type: 'string', default: '4' },
    instant: { type: 'string', default: '10000,100000,1000000' },
    against: { type: 'string' },
    profile: { type: 'string' },
  },
});
const threads = Number(values.threads);
const texts = await readTexts(values.file, Number(values.limit));
console.log(describeMachine());
console.log(
  `${values.file ?? 'the sample'}: ${texts.length} texts, ${threads} threads, int8, median of ${values.rounds} interleaved rounds\n`,
);

/** Texts that measure the engine alone if no rounds are compared. */
const BARE_TEXTS = 500;

const uploads = Number(values.uploads);
/** Rows per second of the engine alone on one core. */
const engineRate = Number(values.rounds) > 0 ? await compareWithBareEngine() : await measureBareEngine();
await measureInstant();

/** The rate alone, of a few texts. */
async function measureBareEngine() {
  const { child } = await startChild(fileURLToPath(new URL('./bare.mjs', import.meta.url)), {
    EMBEDMILL_THREADS: values.threads,
  });
  const sample = texts.slice(0, BARE_TEXTS);
  child.send(sample);
  const [{ seconds }] = await once(child, 'message');
  child.disconnect();
  return sample.length / seconds / Math.min(threads, cpus().length);
}

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
    rates.pipeline.push(texts.length / (await measureRun(stack, texts, uploads)).seconds);
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
  return median(rates.bare) / Math.min(threads, cpus().length);
}

async function measureInstant() {
  const counts = values.instant
    .split(',')
    .map(Number)
    .filter((count) => count > 0);
  if (counts.length === 0) return;
  console.log(`\nWith an engine that takes no time, ${uploads} uploads at a time:\n`);
  const engine = new URL('./instant-engine.mjs', import.meta.url).href;
  const stacks = [['this build', await startStack({ threads: 1, engine, profileDir: values.profile })]];
  if (values.against !== undefined)
    stacks.push([values.against, await startStack({ threads: 1, engine, root: values.against })]);
  for (const [, stack] of stacks) await measureRun(stack, repeat(texts, 20_000), uploads);
  const rates = [];
  const costs = [];
  for (const count of counts) {
    for (const [name, stack] of stacks) {
      const { seconds, embeddedSeconds, cpu, memory } = await measureRun(
        stack,
        repeat(texts, count),
        uploads,
      );
      const perRow = (process) => (cpu[process] / count) * 1e6;
      const cost = (process) => perRow(process).toFixed(1);
      rates.push([
        name,
        count,
        (count / embeddedSeconds).toFixed(0),
        (count / seconds).toFixed(0),
        memory.redis,
        memory.producer,
        memory.worker,
      ]);
      costs.push([
        name,
        count,
        `${cost('producer')} (${cost('producerMain')})`,
        `${cost('worker')} (${cost('workerMain')})`,
        cost('redis'),
        cost('client'),
        (1e6 / perRow('producerMain')).toFixed(0),
        (1e6 / perRow('producerMain') / engineRate).toFixed(0),
      ]);
    }
  }
  for (const [, stack] of stacks) await stack.stop();
  printTable(['', 'rows', 'rows/s', 'with download', 'Redis MB', 'producer MB', 'worker MB'], rates);
  console.log(
    '\nCPU, µs per row (main thread), the rows/s at which the producer is saturated, and\nthe engine cores that embed as many:\n',
  );
  printTable(
    ['', 'rows', 'producer', 'worker', 'Redis', 'client', 'producer maximum', 'engine cores'],
    costs,
  );
  return costs;
}

function* repeat(source, count) {
  for (let i = 0; i < count; i += 1) yield source[i % source.length];
}
