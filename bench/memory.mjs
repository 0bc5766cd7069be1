/**
 * Measures the memory of producer, worker and Redis with the built-in model: `npm run bench:memory`.
 * Prints the resident memory against inference threads (1, 2, 4, 8) after and during a run of short texts, and against
 * the size of the texts (64 bytes to 1 MB). `--threads 1,2` and `--bytes 64,1048576` select values.
 */

import { parseArgs } from 'node:util';
import { measureRun, startStack } from './pipeline/stack.mjs';
import { describeMachine } from './support/machine.mjs';
import { printTable } from './support/table.mjs';

/** Texts of the first table: enough to keep eight threads busy for some seconds. */
const SHORT_TEXTS = 4000;

/** Bytes and texts of one run of the second table, whichever is reached first. */
const RUN_BYTES = 32 * 1024 ** 2;
const RUN_TEXTS = 500;

const WORDS = 'the quick brown fox jumps over the lazy dog and runs through a quiet forest '.repeat(2);

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '1,2,4,8' },
    bytes: { type: 'string', default: '64,1024,16384,65536,262144,1048576' },
  },
});
const numbersOf = (list) => list.split(',').filter(Boolean).map(Number);

/** Different texts of about `bytes` bytes. */
function* texts(count, bytes) {
  const body = WORDS.repeat(Math.ceil(bytes / WORDS.length));
  for (let i = 0; i < count; i += 1) yield `${i} ${body}`.slice(0, bytes);
}

/** Runs `use` with a producer, a worker and a Redis of their own. */
async function withStack(threads, use) {
  const stack = await startStack({ threads });
  try {
    return await use(stack);
  } finally {
    await stack.stop();
  }
}

console.log(`${describeMachine()}\n`);

const byThreads = [];
for (const threads of numbersOf(values.threads)) {
  await withStack(threads, async (stack) => {
    const idle = stack.memory().worker;
    const { memory } = await measureRun(stack, texts(SHORT_TEXTS, 64));
    const [first] = byThreads;
    const perThread =
      first === undefined ? '' : ((memory.worker - first.peak) / (threads - first.threads)).toFixed(0);
    byThreads.push({ threads, peak: memory.worker, cells: [threads, idle, memory.worker, perThread] });
  });
}
printTable(
  ['threads', 'worker idle, MB', 'worker peak, MB', 'MB per further thread'],
  byThreads.map(({ cells }) => cells),
);

const bySize = [];
for (const bytes of numbersOf(values.bytes)) {
  await withStack(2, async (stack) => {
    const count = Math.min(RUN_TEXTS, Math.floor(RUN_BYTES / bytes));
    const { memory, seconds } = await measureRun(stack, texts(count, bytes));
    const { producer, worker, redis } = memory;
    bySize.push([bytes.toLocaleString('en'), count, producer, worker, redis, seconds.toFixed(1)]);
  });
}
console.log('');
printTable(
  ['bytes per text', 'texts', 'producer peak, MB', 'worker peak, MB', 'Redis peak, MB', 'seconds'],
  bySize,
);
