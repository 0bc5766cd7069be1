/**
 * Several producers with workers on machines of their own: `npm run bench:producers -- [--file PATH] [--rows N]
 * [--pace-ms MS] [--rounds N] [--mbit RATES]`
 *
 * Each producer with its Redis, and each worker, is a network namespace on a bridge; workers compute with an engine that
 * sleeps for the time that the exact engine takes, so that the cores of this machine do not limit them. Files are in
 * memory, so that its disk does not either. Measured is the
 * command `embedmill embed`, with its downloads: `--rows` on one producer with 4 workers and 4 × as many on four with
 * 16, by turns; then `--rows` on both counts of producers with 16 workers, where `--mbit` limits the link of each
 * producer.
 * Requires root on Linux, for the namespaces.
 */

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { provideRedis, readConfig } from '@embedmill/core/process';
import { describeMachine } from '../support/machine.mjs';
import { median, printTable } from '../support/table.mjs';
import { readTexts } from '../support/texts.mjs';
import { addMachine, createBridge, mountMemory, removeMachine, unmountMemory } from './network.mjs';

const { values } = parseArgs({
  options: {
    file: { type: 'string' },
    // Eight parts of the command, so that four producers get as many each.
    rows: { type: 'string', default: '16128' },
    'pace-ms': { type: 'string', default: '9.5' },
    rounds: { type: 'string', default: '2' },
    mbit: { type: 'string', default: '6' },
  },
});

/** Set in the process that has a network namespace of its own. */
const INSIDE = 'BENCH_PRODUCERS_INSIDE';
if (process.env[INSIDE] === undefined) {
  // With a process namespace, all processes end with this one.
  const own = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const { status, error } = spawnSync('unshare', [...own, process.execPath, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, [INSIDE]: '1' },
  });
  if (error !== undefined) throw error;
  process.exit(status ?? 1);
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COMMAND = join(ROOT, 'apps/cli/dist/main.js');
const WORKER = join(ROOT, 'bench/pipeline/worker.mjs');
const ENGINE = new URL('./paced-engine.mjs', import.meta.url).href;
const PRODUCERS = 4;
const WORKERS = 16;
const rows = Number(values.rows);
const folder = await mkdtemp(join(tmpdir(), 'embedmill-bench-'));
mountMemory(folder);
const redis = await provideRedis({
  cacheDir: readConfig(process.env).cacheDir,
  install: false,
  log: () => {},
});
if (redis.kind !== 'binary') throw new Error('this benchmark starts redis-server, which was not found');
const inputs = await writeInputs();
createBridge();
console.log(`${describeMachine()}\n${values['pace-ms']} ms per text and worker, one thread per worker\n`);

const unlimited = await startFleet({ producers: PRODUCERS, mbit: null });
const grown = { one: [], four: [] };
for (let round = 0; round < Number(values.rounds); round += 1) {
  grown.one.push(await measure(unlimited.urls.slice(0, 1), inputs.small));
  grown.four.push(await measure(unlimited.urls, inputs.large));
}
await unlimited.stop();
console.log('Producers with 4 workers each:\n');
printRatio(grown, ['1 producer, 4 workers', '4 producers, 16 workers']);

for (const mbit of values.mbit.split(',').map(Number)) {
  if (!(mbit > 0)) continue;
  const limited = {};
  for (const [name, producers] of [
    ['one', 1],
    ['four', PRODUCERS],
  ]) {
    const fleet = await startFleet({ producers, mbit });
    limited[name] = [await measure(fleet.urls, inputs.small)];
    await fleet.stop();
  }
  console.log(`\nThe same 16 workers, ${mbit} Mbit/s from and to each producer and its Redis:\n`);
  printRatio(limited, ['1 producer, 16 workers', '4 producers, 16 workers']);
}
unmountMemory(folder);
await rm(folder, { recursive: true, force: true });

/** Files with `rows` rows and with as many per producer. */
async function writeInputs() {
  const texts = await readTexts(values.file);
  const write = async (name, count) => {
    const path = join(folder, name);
    const file = createWriteStream(path);
    for (let n = 0; n < count; n += 1) {
      if (!file.write(`${JSON.stringify({ id: `row-${n}`, text: texts[n % texts.length] })}\n`))
        await once(file, 'drain');
    }
    file.end();
    await once(file, 'finish');
    return { path, rows: count };
  };
  return { small: await write('small.jsonl', rows), large: await write('large.jsonl', PRODUCERS * rows) };
}

/** Starts producers, each with a Redis on its machine, and divides the workers among them. */
async function startFleet({ producers, mbit }) {
  const machines = [];
  const processes = [];
  let isStopping = false;
  const start = (role, machine, args, env = {}) => {
    const [command, ...before] = machine.inside;
    const child = spawn(command, [...before, ...args], {
      env: {
        ...process.env,
        EMBEDMILL_HOST: '0.0.0.0',
        EMBEDMILL_LOG_LEVEL: 'warn',
        // Without cache, so that repeated texts are computed again.
        EMBEDMILL_REPEATS_MB: '0',
        EMBEDMILL_THREADS: '1',
        EMBEDMILL_API_KEYS: undefined,
        ...env,
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    child.once('exit', (code) => {
      if (!isStopping) throw new Error(`${args.join(' ')} exited with ${code}`);
    });
    processes.push({ role, child });
  };
  const add = (number, rate) => {
    const machine = addMachine(number, rate);
    machines.push(machine);
    return machine;
  };
  const hosts = [];
  for (let n = 0; n < producers; n += 1) {
    const machine = add(10 + n, mbit);
    const server = ['--bind', '0.0.0.0', '--protected-mode', 'no', '--save', '', '--appendonly', 'no'];
    start('redis', machine, [redis.command, ...server, '--dir', folder, '--maxmemory', '1gb']);
    start('producer', machine, [process.execPath, join(ROOT, 'apps/producer/dist/main.js')], {
      REDIS_URL: 'redis://127.0.0.1:6379',
      PORT: '8080',
      EMBEDMILL_DATA_DIR: join(folder, `data-${machine.name}-${producers}-${mbit}`),
    });
    hosts.push(machine);
  }
  for (let n = 0; n < WORKERS; n += 1) {
    start('worker', add(100 + n, null), [process.execPath, WORKER], {
      REDIS_URL: `redis://${hosts[n % producers].address}:6379`,
      EMBEDMILL_WORKER_PORT: '0',
      BENCH_ENGINE: ENGINE,
      BENCH_PACE_MS: values['pace-ms'],
    });
  }
  const urls = hosts.map(({ address }) => `http://${address}:8080`);
  for (const url of urls) {
    const workersOf = async () => (await (await fetch(`${url}/v1/overview`)).json()).workers.length;
    while ((await workersOf().catch(() => 0)) < WORKERS / producers) await sleep(500);
  }
  return {
    urls,
    stop: async () => {
      isStopping = true;
      for (const role of ['worker', 'producer', 'redis']) {
        const children = processes.filter((each) => each.role === role).map(({ child }) => child);
        const ended = children.map((child) => once(child, 'exit'));
        for (const child of children) child.kill('SIGTERM');
        await Promise.all(ended);
      }
      for (const machine of machines) removeMachine(machine);
    },
  };
}

/** Rates of one command: while rows are embedded, and from its start to its end. */
async function measure(urls, input) {
  const output = join(folder, 'out.parquet');
  const args = [COMMAND, 'embed', input.path, '--to', output, '--server', urls.join(','), '--overwrite'];
  const startedAt = performance.now();
  const command = spawn(process.execPath, [...args, '--json', '--quiet'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let json = '';
  command.stdout.setEncoding('utf8').on('data', (text) => {
    json += text;
  });
  const [code] = await once(command, 'close');
  const seconds = (performance.now() - startedAt) / 1000;
  if (code !== 0) throw new Error(`embedmill embed exited with ${code}`);
  const { embeddingSeconds } = JSON.parse(json);
  const digest = createHash('sha256').update(readFileSync(output)).digest('hex');
  return { rows: input.rows, embedding: input.rows / embeddingSeconds, total: input.rows / seconds, digest };
}

/** Prints the medians and their ratios; outputs with the same rows must have the same bytes. */
function printRatio({ one, four }, [nameOfOne, nameOfFour]) {
  const of = (results, field) => median(results.map((result) => result[field]));
  const line = (name, results) => [
    name,
    results[0].rows,
    of(results, 'embedding').toFixed(0),
    (of(results, 'embedding') / of(one, 'embedding')).toFixed(2),
    of(results, 'total').toFixed(0),
    (of(results, 'total') / of(one, 'total')).toFixed(2),
  ];
  printTable(
    ['', 'rows', 'rows/s', '÷ one', 'rows/s with start and download', '÷ one'],
    [line(nameOfOne, one), line(nameOfFour, four)],
  );
  if (one[0].rows !== four[0].rows) return;
  console.log(
    one[0].digest === four[0].digest ? '\nThe outputs have the same bytes.' : '\nThe outputs DIFFER.',
  );
}
